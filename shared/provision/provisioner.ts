/** One difference between what is and what should be, and how to end it. */
export interface Step {
  /** `stream StudentModified: create` */
  readonly title: string
  /** Removes or narrows something, so that data may be lost: never without `--force`. */
  readonly destructive?: boolean
  /** Nothing here can end it, not even with `--force`: a human has to. */
  readonly manual?: boolean
  apply(): Promise<void>
}

/** Compares one backing service with what the functions need of it. */
export interface Provisioner {
  plan(): Promise<readonly Step[]>
}
