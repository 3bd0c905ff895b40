// Takes secrets out of text and data before anything is logged, stored or shown. It would rather take too much than too little.
// Every pattern is linear: it begins with a literal or at the start of a run, and what it reads it also consumes, so no text is read again and again.
import type { Json } from './json.ts'

export const REDACTED = '[redacted]'

/** The last word of a name that stands for a secret. */
const SECRET_WORD = [
  '(?<![a-z])pass',
  'pass(?:word|wd|phrase|code)',
  'pwd',
  'secret',
  'token',
  'credential',
  'authorization',
  'cookie',
  'dsn',
  'connection[_-]?string',
  '(?:api|access|private|secret|encryption|signing|account|shared|ssh|auth|master|session|storage|license|client)[_. -]?key(?:[_-]?(?:id|data))?',
  'webhook[_-]?url',
].join('|')
const SECRET_NAME = new RegExp(`(?:${SECRET_WORD})s?\\d{0,3}$`, 'i')
const SECRET_FILE = /^(?:\.dockerconfigjson|\.dockercfg|tls\.key|id_rsa|id_ed25519|kubeconfig)$/

/** The name before a value: `password=`, `"token": `, `\"token\":\"` inside a string of JSON. */
const PAIR = new RegExp(`(?:${SECRET_WORD})s?\\d{0,3}\\\\{0,8}["']?[ \\t]{0,8}(?:=>|[:=])[ \\t]{0,8}`, 'gi')
const FLAG = /--?[A-Za-z][A-Za-z0-9-]{0,60}[ \t=]{1,8}/g
const TO_LINE_END = /(?:authorization|cookie)s?\\*["']?[ \t]*[:=]/i
const NOT_A_SECRET = /^(?:true|false|null|nil|none|undefined|<nil>|<none>|\[redacted\]?|)$/i

/** Shapes that are secrets wherever they stand. An unfinished PEM block reaches to the end. `x{20}x*`, because V8's stack overflows on megabytes of `x{20,}`. */
const SHAPES = [
  /-----BEGIN [A-Z0-9 ]{1,60}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,60}-----|$)/g,
  /LS0tLS1CRUdJTi[A-Za-z0-9+/=]*/g,
  /gh[pousr]_[A-Za-z0-9]{20}[A-Za-z0-9]*|github_pat_[A-Za-z0-9_]{20}[A-Za-z0-9_]*|glpat-[A-Za-z0-9_-]{16}[A-Za-z0-9_-]*|xox[abeoprs]-[A-Za-z0-9-]{10}[A-Za-z0-9-]*|sha256~[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*|dckr_pat_[A-Za-z0-9_-]{16}[A-Za-z0-9_-]*/g,
  /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30}[A-Za-z0-9_-]*|hooks\.slack\.com\/services\/[A-Za-z0-9/]+|SG\.[A-Za-z0-9_-]{16}[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{16}[A-Za-z0-9_-]*/g,
  /(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*|[rs]k_(?:live|test)_[A-Za-z0-9]{16}[A-Za-z0-9]*|hf_[A-Za-z0-9]{20}[A-Za-z0-9]*|npm_[A-Za-z0-9]{20}[A-Za-z0-9]*|pypi-[A-Za-z0-9_-]{16}[A-Za-z0-9_-]*|hv[sbr]\.[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*)/g,
] as const
const DOTTED = /(?<![A-Za-z0-9_.-])[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]*/g
const BEARER = /(?<![A-Za-z0-9])(bearer[ \t]{1,4})(?!(?:tokens?|auth|authentication|authorization|scheme|realm|error)(?![A-Za-z0-9]))[^\s"',;\\]+/gi
const BASIC = /(?<![A-Za-z0-9])(basic[ \t]{1,4})([A-Za-z0-9+/]{2}[A-Za-z0-9+/]*={0,2})/gi

/** The text without its secrets; what stays is readable as before. */
export function redact(text: string): string {
  let clean = SHAPES.reduce((rest, shape) => rest.replace(shape, REDACTED), text)
  clean = clean.replace(DOTTED, (run) => (run.includes('eyJ') ? `${run.slice(0, run.indexOf('eyJ'))}${REDACTED}` : run))
  clean = clean.replace(BEARER, `$1${REDACTED}`)
  clean = clean.replace(BASIC, (whole, scheme: string, given: string) => (Buffer.from(given, 'base64').includes(COLON) ? `${scheme}${REDACTED}` : whole))
  clean = redactValues(redactUrls(clean), PAIR, (name) => (TO_LINE_END.test(name) ? endOfLine : endOfValue))
  return redactValues(clean, FLAG, (flag) => (isSecretFlag(flag.trim().replace(/=$/, '').trim()) ? endOfValue : undefined))
}
const COLON = 0x3a
const isSecretFlag = (flag: string): boolean => flag === '-u' || flag === '--user' || (flag.startsWith('--') && SECRET_NAME.test(flag))

type End = (text: string, from: number) => { readonly from: number; readonly to: number }

/** Takes out what follows a name, and goes on behind it. */
function redactValues(text: string, name: RegExp, endOf: (name: string) => End | undefined): string {
  let clean = ''
  let done = 0
  name.lastIndex = 0
  for (let found = name.exec(text); found; found = name.exec(text)) {
    const end = endOf(found[0])
    const { from, to } = end?.(text, name.lastIndex) ?? { from: 0, to: 0 }
    if (!end || NOT_A_SECRET.test(text.slice(from, Math.min(to, from + 16))) || isCount(found[0], text, from, to)) continue
    clean += `${text.slice(done, from)}${REDACTED}`
    done = to
    name.lastIndex = to
  }
  return done === 0 ? text : clean + text.slice(done)
}

/** `max_tokens=350` counts, it opens nothing. */
const isCount = (name: string, text: string, from: number, to: number): boolean => to - from < 10 && /tokens/i.test(name) && /^\d+$/.test(text.slice(from, to))

const QUOTED = /\\{0,8}["'`]/y
const BARE_END = /[\s,;&"'`}\])<]/g

/** A quoted value ends at its own quote, escaped as deep as it began; a bare one at a separator. */
const endOfValue: End = (text, start) => {
  QUOTED.lastIndex = start
  const quote = QUOTED.exec(text)?.[0]
  if (quote === undefined) return { from: start, to: at(text, BARE_END, start) }
  const from = start + quote.length
  return { from, to: quote.length === 1 ? closing(text, quote, from) : orEnd(text, text.indexOf(quote, from)) }
}

const LINE_END = /[\r\n"'`]/g
const endOfLine: End = (text, start) => {
  QUOTED.lastIndex = start
  return QUOTED.test(text) ? endOfValue(text, start) : { from: start, to: at(text, LINE_END, start) }
}

function closing(text: string, quote: string, start: number): number {
  for (let index = start; index < text.length; index++) {
    if (text[index] === '\\') index++
    else if (text[index] === quote) return index
  }
  return text.length
}
const at = (text: string, end: RegExp, start: number): number => {
  end.lastIndex = start
  return end.exec(text)?.index ?? text.length
}
const orEnd = (text: string, index: number): number => (index < 0 ? text.length : index)

const AUTHORITY_END = /[\s"'`<>]/g
/** `scheme://user:password@host`: everything between the slashes and the last @ before the path, or before the end where a password has a slash. */
function redactUrls(text: string): string {
  const parts = text.split('://')
  return parts.map((part, index) => (index === 0 ? part : redactAuthority(part, parts[index - 1]?.slice(-5) ?? ''))).join('://')
}

function redactAuthority(part: string, scheme: string): string {
  const word = part.slice(0, at(part, AUTHORITY_END, 0))
  const path = word.search(/[/?#]/)
  const authority = path < 0 ? word : word.slice(0, path)
  const sign = authority.includes('@') ? authority.lastIndexOf('@') : slashInPassword(scheme, authority) ? word.lastIndexOf('@') : -1
  return sign < 0 ? part : `${REDACTED}${part.slice(sign)}`
}
/** `http://host:8080/x@y` is a port and a path; `user:a/b@host`, and whatever a database's URL has before its last @, is a password. */
const slashInPassword = (scheme: string, authority: string): boolean => authority.includes(':') && !(/(?:https?|wss?)$/i.test(scheme) && /:\d{1,5}$/.test(authority))

const MAX_DEPTH = 100

/** The same for data: what a telling name holds, values of environment variables, the content of Secrets, and secrets inside any text. */
export function redactJson(value: Json): Json {
  return redactBelow(value, 0)
}

function redactBelow(value: Json, depth: number): Json {
  if (typeof value === 'string') return redact(value)
  if (value === null || typeof value !== 'object') return value
  if (depth > MAX_DEPTH) return REDACTED
  if (isList(value)) return value.map((item) => redactBelow(item, depth + 1))
  const env = typeof value['name'] === 'string' && isSecretName(value['name'])
  const secret = value['kind'] === 'Secret'
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const all = (env && name === 'value') || (secret && (name === 'data' || name === 'stringData')) || isSecretName(name)
      // The volume `secret: { secretName }` only refers to one.
      return [name, all && !(isObject(inner) && /secrets?$/i.test(name)) ? blank(inner, name) : redactBelow(inner, depth + 1)]
    }),
  )
}

const isSecretName = (name: string): boolean => SECRET_NAME.test(name) || SECRET_FILE.test(name)
const isList = (value: Json): value is readonly Json[] => Array.isArray(value)
const isObject = (value: Json): value is { readonly [key: string]: Json } => typeof value === 'object' && value !== null && !isList(value)

/** Every text and number of a secret, with the shape left; truth values and counts of tokens tell nothing. */
function blank(value: Json, name: string, depth = 0): Json {
  if (value === null || typeof value === 'boolean' || value === '') return value
  if (typeof value === 'number') return /tokens?$/i.test(name) ? value : REDACTED
  if (typeof value === 'string' || depth > MAX_DEPTH) return REDACTED
  if (isList(value)) return value.map((item) => blank(item, name, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, blank(item, name, depth + 1)]))
}
