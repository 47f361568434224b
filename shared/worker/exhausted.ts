/** Messages that used up their deliveries, each killing or hanging its worker: nobody else would ever see them again. */
export interface Exhausted {
  /** Moves those that are there to the dead letter, with the reason; returns how many. */
  bury(): Promise<number>
}
