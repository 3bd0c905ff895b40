// What log lines tell, as classes: the text itself never leaves this file, so no secret of a log reaches rule, record or model.

/** Flat alternatives without nested repetition: a hostile line costs no more than its length. */
const CLASSES: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['outOfMemory', /out of memory|OutOfMemoryError|heap out of memory|cannot allocate memory|MemoryError|std::bad_alloc/i],
  ['connectionRefused', /connection refused|ECONNREFUSED|connect: refused|could not connect to server|failed to connect to/i],
  [
    'dependencyTimeout',
    /i\/o timeout|ETIMEDOUT|connect(?:ion)? timed? ?out|context deadline exceeded|read timed out|504 Gateway|503 Service Unavailable|upstream .{0,40}timed out/i,
  ],
  ['dnsFailure', /no such host|ENOTFOUND|EAI_AGAIN|UnknownHostException|name or service not known|temporary failure in name resolution/i],
  ['authenticationFailed', /password authentication failed|authentication failed|invalid credentials|401 Unauthorized|access denied for user|login failed/i],
  ['permissionDenied', /permission denied|EACCES|EPERM|operation not permitted|403 Forbidden|is forbidden:/i],
  [
    'configMissing',
    /missing required (?:env|config|environment|setting|variable)|environment variable .{0,80}(?:not set|is required|missing)|config(?:uration)? file .{0,120}not found|required .{0,60}(?:not set|is missing)|no such file or directory/i,
  ],
  ['configInvalid', /invalid config|failed to parse config|config(?:uration)? error|yaml: |unknown (?:flag|option)|unmarshal errors?|invalid value for/i],
  ['portInUse', /address already in use|EADDRINUSE|port is already (?:in use|allocated)/i],
  ['diskFull', /no space left on device|ENOSPC|disk (?:is )?full|disk quota exceeded/i],
  ['readOnlyFileSystem', /read-only file system|EROFS/i],
  ['certificateInvalid', /x509: |certificate (?:has expired|verify failed|signed by unknown)|CERT_HAS_EXPIRED|SSLHandshakeException|unable to verify the first certificate/i],
  ['tooManyOpenFiles', /too many open files|EMFILE|ENFILE/i],
  ['tooManyConnections', /too many (?:clients|connections)|remaining connection slots|connection pool (?:is )?exhausted/i],
  ['lockHeld', /could not (?:acquire|obtain) lock|resource temporarily unavailable.{0,40}lock|database is locked|lock file .{0,80}exists|already locked by/i],
  [
    'panic',
    /^panic: |\bpanic:|fatal error: |SIGSEGV|segmentation fault|Traceback \(most recent call last\)|Unhandled(?:PromiseRejection| exception)|Exception in thread|core dumped|assertion failed/i,
  ],
  ['commandNotFound', /exec format error|executable file not found|command not found/i],
]

export const LOG_CLASSES: readonly string[] = CLASSES.map(([name]) => name)

const LINE = 2_000

/** Classes that any of the lines fits, in the order of the table. */
export function classify(lines: readonly string[]): string[] {
  const cut = lines.map((line) => line.slice(0, LINE))
  return CLASSES.filter(([, pattern]) => cut.some((line) => pattern.test(line))).map(([name]) => name)
}
