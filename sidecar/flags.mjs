// The flags of the Node that runs the bundle. The code cache fits exactly these.
export const FLAGS = [
  // A young generation of 1 MiB: the sidecar makes little garbage, and what is not reserved is not resident.
  '--max-semi-space-size=1',
  // What fits is collected instead of grown: bursts of alerts are rows of the history, not objects.
  '--max-old-space-size=64',
  // undici parses HTTP by a small WebAssembly module; optimising it costs 13 MiB and gains nothing that a sidecar would notice.
  '--liftoff-only',
]
