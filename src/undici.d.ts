// The two files of undici that are used, imported deep: its main file also loads fetch, WebSocket, caches and mocks, which a sidecar's
// memory should not carry.
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici'
  export default Agent
}
declare module 'undici/lib/api/index.js' {
  import type { Dispatcher } from 'undici'

  const api: { readonly request: (this: Dispatcher, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData> }
  export default api
}
