import CHost
import Glibc
import Matter

guard host_can_run_this_build() != 0 else {
  Console.message(
    "apus: this program was built for \(String(cString: host_built_for())), which this processor does not have. Build it here with `make build`, or with `make build PORTABLE=1` for any x86-64"
  )
  exit(ExitStatus.badInput.rawValue)
}
exit(Apus.run(Array(CommandLine.arguments.dropFirst())).rawValue)
