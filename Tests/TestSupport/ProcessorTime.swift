import Glibc

/// Seconds this thread spends on a processor in `body`; other work on the machine does not count.
package func processorSeconds<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure)
  -> Double
{
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
  let start = now()
  try body()
  return now() - start
}
