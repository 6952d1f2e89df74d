import Dynamics

/// Progress on stderr: a bar on a terminal, else a line every few seconds.
final class ProgressBar {
  private let isTerminal = Console.isTerminal
  private var next = MonotonicClock.seconds + (Console.isTerminal ? 0 : 5)
  private var isShown = false

  /// Shows progress when it is time.
  func show(_ p: Simulation.Progress) {
    let now = MonotonicClock.seconds
    guard now >= next else { return }
    next = now + (isTerminal ? 0.2 : 5)
    let fraction = Double(p.step) / Double(max(p.totalSteps, 1))
    var parts = ["step \(p.step)/\(p.totalSteps)"]
    if p.stepsPerSecond > 0 {
      if let timestep = p.timestepFs {
        parts.append("\(Decimal.short(p.stepsPerSecond * timestep * 0.0864)) ns/day")
      }
      parts.append(
        "ETA \(Decimal.duration(Double(p.totalSteps - p.step) / p.stepsPerSecond))")
    }
    parts.append("T \(Decimal.fixed(p.temperature, 1)) K")
    if let pressure = p.pressure { parts.append("P \(Decimal.fixed(pressure, 3)) GPa") }
    let text = parts.joined(separator: ", ")
    if isTerminal {
      let width = 24
      let filled = min(width, Int(fraction * Double(width)))
      let bar =
        String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      Console.raw("\r\u{1B}[K\(bar) \(p.stage) \(text)")
      isShown = true
    } else {
      Console.message("\(p.stage): \(text)")
    }
  }

  /// Clears the line of the bar.
  func clear() {
    if isShown { Console.raw("\r\u{1B}[K") }
    isShown = false
  }
}
