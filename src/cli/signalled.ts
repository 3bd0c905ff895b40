// Waits until somebody wants the program to end.

/** The name of the signal: SIGTERM or SIGINT. A second one ends the program at once. */
export const signalled = (): Promise<string> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => {
        resolve(signal)
        process.once(signal, () => process.exit(130))
      })
  })
