import Foundation
import Matter

/// The files beside a trajectory that tell other programs the elements, which AMBER files cannot:
/// `topology.pdb` (MDAnalysis, mdtraj, VMD), `topology.xyz` (ASE, OVITO) and `species.ndx`
/// (dynasor).
public enum TrajectoryCompanions {
  /// Writes the three files into a directory.
  /// - Parameter structure: the first frame; turned as the trajectory is
  public static func write(_ structure: Structure, title: String, in directory: String)
    throws(FileError)
  {
    let turned = oriented(structure)
    try FileLayer.write(pdb(turned, title: title), to: directory + "/topology.pdb")
    var still = turned
    still.velocities = nil
    try FileLayer.write(
      StructureWriter.extendedXYZ(StructureFrame(structure: still)),
      to: directory + "/topology.xyz")
    try FileLayer.write(index(turned.elements), to: directory + "/species.ndx")
  }

  /// A structure turned to a along x and b in the xy plane.
  static func oriented(_ structure: Structure) -> Structure {
    guard let cell = structure.cell, cell.isRightHanded,
      let r = AmberOrientation.rotation(of: cell),
      let turned = try? Cell(lengths: cell.lengths, angles: cell.angles)
    else { return structure }
    var result = structure
    result.cell = turned
    result.positions = structure.positions.map { r * $0 }
    result.velocities = structure.velocities?.map { r * $0 }
    return result
  }

  /// A PDB file with a residue for each atom: programs drop atoms of one name in one residue.
  package static func pdb(_ structure: Structure, title: String) -> String {
    let clean = title.unicodeScalars.filter { $0.isASCII && $0.value >= 32 }
    var text = "TITLE     " + String(String.UnicodeScalarView(clean)).prefix(70) + "\n"
    if let cell = structure.cell, structure.periodicity != .none {
      let (l, a) = (cell.lengths, cell.angles)
      text += String(
        format: "CRYST1%9.3f%9.3f%9.3f%7.2f%7.2f%7.2f P 1           1\n", l.x, l.y, l.z, a.x, a.y,
        a.z)
    }
    for i in 0..<structure.count {
      let symbol = structure.elements[i].symbol
      let name = (symbol.count == 1 ? " " : "") + symbol.uppercased()
      let p = structure.positions[i]
      let head = "HETATM" + right("\((i + 1) % 100_000)", 5) + " " + left(name, 4) + " MOL A"
      text += head + right("\((i + 1) % 10_000)", 4) + "    "
      text += coordinate(p.x) + coordinate(p.y) + coordinate(p.z)
      text += "  1.00  0.00          " + right(symbol.uppercased(), 2) + "  \n"
    }
    return text + "END\n"
  }

  /// A GROMACS index file with a group for each element.
  package static func index(_ elements: [Element]) -> String {
    var text = ""
    for element in Set(elements).sorted() {
      text += "[ \(element.symbol) ]\n"
      let atoms = elements.indices.filter { elements[$0] == element }
      for start in stride(from: 0, to: atoms.count, by: 15) {
        text +=
          atoms[start..<min(start + 15, atoms.count)].map { "\($0 + 1)" }.joined(separator: " ")
          + "\n"
      }
    }
    return text
  }

  private static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  private static func coordinate(_ x: Double) -> String {
    let text = String(format: "%8.3f", x)
    return text.count == 8 ? text : String(String(format: "%8.1f", x).prefix(8))
  }
}
