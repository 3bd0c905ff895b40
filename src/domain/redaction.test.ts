import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { realPorts } from '../ports.ts'
import { REDACTED, redact, redactJson } from './redaction.ts'

const letters = (alphabet: string, minLength: number, maxLength: number) => fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength })
const WORD = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
/** Long enough not to stand in the sentence around it by chance. */
const password = letters(`${WORD}!#$%*+-._~?^|@/:`, 12, 60)
const token = letters(`${WORD}-_`, 24, 200)
const quotable = fc.string({ minLength: 12, maxLength: 60, unit: 'grapheme' }).filter((text) => text.trim().length >= 12)

/** How secrets are met in logs, manifests and errors: the text, and what must not be left of it. */
const met: Readonly<Record<string, fc.Arbitrary<readonly [string, string]>>> = {
  'password=': password.map((s) => [`login with password=${s} failed`, s]),
  'PASSWORD: ': password.map((s) => [`DB_PASSWORD: ${s}`, s]),
  'in JSON': quotable.map((s) => [JSON.stringify({ a: 1, apiKey: s, b: 2 }), JSON.stringify(s).slice(1, -1)]),
  'in JSON within JSON': letters(WORD, 12, 40).map((s) => [JSON.stringify({ body: JSON.stringify({ client_secret: s, b: 2 }) }), s]),
  'in single quotes': letters(`${WORD} ,;`, 12, 40).map((s) => [`token = '${s}', next`, s]),
  'a flag': password.filter((s) => !s.startsWith('-')).map((s) => [`exec tool --admin-password ${s} --verbose`, s]),
  'a flag with =': password.map((s) => [`exec tool --auth-token=${s}`, s]),
  'curl -u': letters(WORD, 12, 30).map((s) => [`curl -u admin:${s} https://x`, s]),
  'bearer token': token.map((s) => [`GET /x Bearer ${s} 401`, s]),
  'authorization header': password.map((s) => [`authorization: Basic ${Buffer.from(`u:${s}`).toString('base64')}`, Buffer.from(`u:${s}`).toString('base64')]),
  'basic credentials': password.map((s) => [`sent Basic ${Buffer.from(`u:${s}`).toString('base64')} to x`, Buffer.from(`u:${s}`).toString('base64')]),
  'a URL': letters(`${WORD}!$%*+-._~^|/`, 12, 30).map((s) => [`cannot reach postgres://app:${s}@db:5432/app?sslmode=off`, s]),
  'a query': token.map((s) => [`GET https://x/y?a=1&access_token=${s}&b=2`, s]),
  'a connection string': letters(WORD, 12, 40).map((s) => [`Server=db;User Id=sa;Password=${s};Encrypt=true`, s]),
  'a JWT': fc.tuple(token, token, token).map(([a, b, c]) => [`token-eyJ${a}.${b}.${c} is expired`, c]),
  'an AWS key id': letters(UPPER, 16, 16).map((s) => [`key AKIA${s} denied`, s]),
  'an AWS secret': letters(`${WORD}/+`, 40, 40).map((s) => [`aws_secret_access_key = ${s}`, s]),
  'a GitHub token': letters(WORD, 36, 36).map((s) => [`remote: ghp_${s}`, s]),
  'an OpenShift token': letters(`${WORD}-_`, 43, 43).map((s) => [`oc login sha256~${s}`, s]),
  'a private key': letters(`${WORD}+/\n`, 64, 300).map((s) => [`-----BEGIN EC PRIVATE KEY-----\n${s}\n-----END EC PRIVATE KEY-----`, s]),
  'a private key that is cut': letters(`${WORD}+/\n`, 64, 300).map((s) => [`-----BEGIN PRIVATE KEY-----\n${s}`, s]),
  'a kubeconfig': letters(WORD, 64, 300).map((s) => [`    client-key-data: ${Buffer.from(s).toString('base64')}`, Buffer.from(s).toString('base64').slice(0, 40)]),
  'a cookie': token.map((s) => [`Set-Cookie: sid=1; session=${s}`, s]),
}

describe('a secret never passes', () => {
  it.each(Object.keys(met))('%s', (name) => {
    const before = letters(`${WORD} .,()`, 0, 40)
    void fc.assert(
      fc.property(met[name] ?? fc.constant(['', '']), before, ([text, secret], around) => {
        const clean = redact(`${around}\n${text}\n${around}`)
        expect(clean).toContain(REDACTED)
        expect(clean).not.toContain(secret)
        expect(clean.startsWith(`${around}\n`)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})

describe('what is no secret stays', () => {
  it.each([
    'max_tokens=350, prompt_tokens: 1200',
    'secretName: db-credentials',
    'automountServiceAccountToken: false',
    'Error: secret "db" not found',
    'pull image registry.example/team/app:1.2@sha256:0123456789abcdef',
    'GET http://host:8080/users/@me?x=a@b 200',
    'http://prometheus.example:9090/graph?g0.expr=up',
    'WWW-Authenticate: Bearer realm="alerts"',
    'basic understanding of the compass: north',
    'pod team-a/web-7d4b9-abcde of disk-aaaaaaaaaaaaaaaaaaaaaaaaaa is OOMKilled, exit code 137',
    'password: ""',
    'a.b.c.svc.cluster.local',
  ])('%s', (text) => {
    expect(redact(text)).toBe(text)
  })
  it('the host of a URL and the name of a value are left for the reader', () => {
    expect(redact('postgres://app:hunter2@db:5432/app password="x y", user=app')).toBe(`postgres://${REDACTED}@db:5432/app password="${REDACTED}", user=app`)
  })
  it('redacting twice changes nothing more', () => {
    void fc.assert(fc.property(fc.oneof(...Object.values(met)), ([text]) => void expect(redact(redact(text))).toBe(redact(text))))
  })
  it('any text is taken without an error', () => {
    void fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => void expect(typeof redact(text)).toBe('string')))
  })
})

describe('the time it takes', () => {
  // Each repeats the beginning of a pattern that never ends: where a pattern reads ahead and fails, ten times the text costs a hundred times the time.
  const seeds = [
    'a',
    'eyJ',
    'eyJa.',
    'a.',
    '-----BEGIN A-----',
    'Bearer ',
    'basic AA',
    '://',
    '://a:',
    '://a:b/',
    '@',
    'password=',
    'password="',
    'password=\\"',
    '--a',
    '--password ',
    'sk-',
    'LS0tLS1CRUdJTi',
    'SG.a',
    '"',
    '\\',
  ]
  it.each(seeds)('grows with the length of the text, also for %j without end', (seed) => {
    const text = (length: number) => seed.repeat(Math.ceil(length / seed.length))
    const cost = (length: number) =>
      Math.min(
        ...[1, 2, 3].map(() => {
          const begin = realPorts.clock.elapsed()
          redact(text(length))
          return realPorts.clock.elapsed() - begin
        }),
      )
    expect(cost(1_000_000) / Math.max(cost(100_000), 2)).toBeLessThan(50)
  })
  it('takes a line of 10 MB', () => {
    expect(redact(`${'x'.repeat(10_000_000)} password=hunter2`).endsWith(`password=${REDACTED}`)).toBe(true)
  })
})

describe('data', () => {
  it('loses what telling names hold, at any depth, and secrets inside text', () => {
    expect(
      redactJson({
        password: 'x',
        list: [{ apiKey: 'y' }, 'Bearer abcdefgh'],
        credentials: { user: 'u', deep: ['v'] },
        pin: { passcode: 1234 },
        'tls.key': 'z',
        ok: 'fine',
        tokens: 7,
      }),
    ).toEqual({
      password: REDACTED,
      list: [{ apiKey: REDACTED }, `Bearer ${REDACTED}`],
      credentials: { user: REDACTED, deep: [REDACTED] },
      pin: { passcode: REDACTED },
      'tls.key': REDACTED,
      ok: 'fine',
      tokens: 7,
    })
  })
  it('loses the values of environment variables and of Secrets, and keeps references', () => {
    const pod = {
      env: [
        { name: 'DB_PASSWORD', value: 'x' },
        { name: 'LEVEL', value: 'info' },
      ],
      volumes: [{ secret: { secretName: 'db' } }],
      automountServiceAccountToken: true,
    }
    expect(redactJson(pod)).toEqual({
      ...pod,
      env: [
        { name: 'DB_PASSWORD', value: REDACTED },
        { name: 'LEVEL', value: 'info' },
      ],
    })
    expect(redactJson({ kind: 'Secret', metadata: { name: 'db' }, data: { user: 'YQ==' }, stringData: { a: 'b' } })).toEqual({
      kind: 'Secret',
      metadata: { name: 'db' },
      data: { user: REDACTED },
      stringData: { a: REDACTED },
    })
  })
  it('keeps hostile names as data and stops at a depth', () => {
    expect(JSON.stringify(redactJson(JSON.parse('{"__proto__":{"token":"x"},"constructor":"y"}')))).toBe(`{"__proto__":{"token":"${REDACTED}"},"constructor":"y"}`)
    expect(JSON.stringify(redactJson(JSON.parse(`${'['.repeat(50_000)}"Bearer abcdefgh"${']'.repeat(50_000)}`)))).toContain(REDACTED)
  })
  it('gives the same back where nothing is secret', () => {
    void fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: fc.constantFrom('a', 'b', ' ', '1') }),
        (value) => void expect(JSON.stringify(redactJson(JSON.parse(JSON.stringify(value))))).toBe(JSON.stringify(value)),
      ),
    )
  })
})
