// How fast the practice world runs: every waiting time of its controllers, alert rules and Alertmanager, in one place.

export interface Pace {
  /** How many milliseconds a second written in a manifest lasts: progressDeadlineSeconds, minReadySeconds, a probe's delay. */
  readonly secondMs: number
  readonly scheduleMs: number
  /** From being scheduled until the containers run. */
  readonly startMs: number
  /** From running until ready. */
  readonly readyMs: number
  /** How long a container that crashes runs before it does. */
  readonly crashMs: number
  /** First pause before a crashed container starts again; doubles up to the maximum, as the kubelet's 10 s to 5 min do. */
  readonly backOffMs: number
  readonly backOffMaxMs: number
  /** How long a pod takes to stop. */
  readonly stopMs: number
  /** How long a Job's container works. */
  readonly jobMs: number
  /** How often the alert rules are evaluated. */
  readonly evaluateMs: number
  /** Real time of a rule's `for` and of its ranges times this. 15m become 900 ms at 0.001. */
  readonly forFactor: number
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
  /** First pause before a delivery that failed is tried again; grows by half each time. */
  readonly retryMs: number
  /** An alert that nobody renews is over after this long. */
  readonly resolveTimeoutMs: number
}

export const PRACTICE_PACE: Pace = {
  secondMs: 5,
  scheduleMs: 20,
  startMs: 150,
  readyMs: 80,
  crashMs: 150,
  backOffMs: 150,
  backOffMaxMs: 600,
  stopMs: 60,
  jobMs: 200,
  evaluateMs: 100,
  forFactor: 0.001,
  groupWaitMs: 150,
  groupIntervalMs: 500,
  repeatIntervalMs: 2_000,
  retryMs: 200,
  resolveTimeoutMs: 300_000,
}
