/**
 * Gives what a program calls at places where it might as well die, with their names. It kills itself at the one named `chosen`,
 * as `kill -9` would: so tests can see what becomes of its work. Nothing is chosen in real life.
 */
export const createFailPoints =
  (chosen: string | undefined) =>
  (point: string): void => {
    if (point === chosen) process.kill(process.pid, 'SIGKILL')
  }
