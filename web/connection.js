// Is the server in reach, and how long to wait before asking again.

const kFirst = 500, kMost = 30_000; // milliseconds

/** Exponential, with jitter: clients that lost one server together don't come back together. */
export class Backoff {
  #tries = 0;

  next() {
    const whole = Math.min(kMost, kFirst * 2 ** this.#tries++);
    return whole * (0.5 + Math.random() / 2);
  }

  reset() {
    this.#tries = 0;
  }
}

/** Every answer and every failure to get one is noted here; the event 'change' tells of the difference. */
class Connection extends EventTarget {
  reachable = true;

  note(reachable) {
    if (this.reachable === reachable) return;
    this.reachable = reachable;
    this.dispatchEvent(new Event('change'));
  }

  /** Waits; not to the end when the server or the network is back sooner. */
  pause(milliseconds) {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        removeEventListener('online', end);
        this.removeEventListener('change', back);
        resolve();
      };
      const back = () => this.reachable && end();
      const timer = setTimeout(end, milliseconds);
      addEventListener('online', end);
      this.addEventListener('change', back);
    });
  }
}

export const connection = new Connection();
addEventListener('offline', () => connection.note(false));

/** Until it goes well; people see by the line at the top that the server is away. What asking again does not mend is thrown. */
export async function persist(action) {
  for (const backoff = new Backoff(); ; await connection.pause(backoff.next())) {
    try {
      return await action();
    } catch (error) {
      if (!error.passing) throw error;
    }
  }
}
