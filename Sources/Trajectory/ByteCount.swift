import Foundation

/// Numbers of bytes in words.
package enum ByteCount {
  /// `812 bytes`, `13.8 kB`, `1.4 GB`.
  package static func text(_ bytes: Int) -> String {
    if bytes < 1000 { return "\(bytes) byte\(bytes == 1 ? "" : "s")" }
    var value = Double(bytes)
    for unit in ["kB", "MB", "GB", "TB"] {
      value /= 1000
      if value < 999.95 || unit == "TB" { return String(format: "%.1f ", value) + unit }
    }
    return "\(bytes) bytes"
  }
}
