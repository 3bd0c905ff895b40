// Starts the bundle with V8's code cache: a third of the memory of parsing it and a fifth of the time. The cache belongs to one
// Node binary and its flags; one that does not fit is said and passed over.
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const { dirname, join } = require('node:path')
const vm = require('node:vm')

const file = join(__dirname, 'sidecar.cjs')
const cache = `${file}.v8`
const script = new vm.Script(`(function(require,module,exports,__filename,__dirname){${readFileSync(file, 'latin1')}\n})`, {
  filename: file,
  ...(existsSync(cache) && { cachedData: readFileSync(cache) }),
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
})
if (script.cachedDataRejected) process.stderr.write('the code cache was made by another Node or with other flags: starting without it\n')
const loaded = { exports: {} }
script.runInThisContext()(require, loaded, loaded.exports, file, dirname(file))
if (process.env.ALERTS_SLM_MAKE_CODE_CACHE) {
  // After a run, so that what a start compiles is in it.
  process.on('exit', () => writeFileSync(cache, script.createCachedData()))
}
