/// What the exit status of `apus` means.
enum ExitStatus: Int32 {
  case done = 0
  case failed = 1
  case badInput = 2
  case stoppedEarly = 75
}
