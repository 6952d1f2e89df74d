import CZlib
import Foundation
import Glibc
import Matter
import TestSupport
import Testing
import Trajectory

@Suite struct StructureReaderTests {
  static let extended = """
    3
    Lattice="5 0 0 0 6 0 0 0 7" Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1:fixed:L:1:site:S:1:vel:R:3 energy=-1.5 name="a \\"b\\" c" set={1 2 3} list=[1,2] flag pbc="T T F"
    Si 0 0 0 1 2 3 7 T one 0.01 0 0
    O 1.5D0\t2.5e+0 -3 0 0 0 8 F two 0 0.02 0
    H 4 5 6 0 0 1E-3 -9 T three 0 0 0.03

    """

  @Test("Extended XYZ: quotes, braces, brackets, flags, every column type, D exponents, tabs")
  func extendedXYZ() throws {
    let folder = try TemporaryDirectory()
    let frames = try StructureReader.read(path: folder.write("a.xyz", Self.extended))
    #expect(frames.count == 1)
    let frame = frames[0]
    let s = frame.structure
    #expect(s.elements.map(\.symbol) == ["Si", "O", "H"])
    #expect(s.positions == [[0, 0, 0], [1.5, 2.5, -3], [4, 5, 6]])
    #expect(s.cell == (try Cell(orthogonal: [5, 6, 7])))
    #expect(s.periodicity == Periodicity(a: true, b: true, c: false))
    // 0.01 Å/fs in units of Å per 10.180506 fs.
    let v = try #require(s.velocities)
    #expect(abs(v[0].x - 0.10180506) < 1e-8)
    #expect(frame.info.map(\.key) == ["energy", "name", "set", "list", "flag"])
    #expect(frame.info.map(\.value) == ["-1.5", "a \"b\" c", "1 2 3", "1,2", "T"])
    #expect(frame.info[2].numbers == [1, 2, 3] && frame.info[3].numbers == [1, 2])
    #expect(frame.arrays.map(\.name) == ["forces", "tag", "fixed", "site"])
    #expect(frame.arrays[0].values == .reals([1, 2, 3, 0, 0, 0, 0, 0, 1e-3]))
    #expect(frame.arrays[1].values == .integers([7, 8, -9]))
    #expect(frame.arrays[2].values == .logicals([true, false, true]))
    #expect(frame.arrays[3].values == .strings(["one", "two", "three"]))
  }

  @Test(
    "CRLF, a missing final newline, a byte order mark, gzip and trailing blank lines change nothing"
  )
  func leniencies() throws {
    let folder = try TemporaryDirectory()
    let plain = try StructureReader.read(path: folder.write("a.xyz", Self.extended))
    let variants = [
      Self.extended.replacingOccurrences(of: "\n", with: "\r\n"), String(Self.extended.dropLast()),
      "\u{feff}" + Self.extended, Self.extended + "\n\n",
    ]
    for (i, text) in variants.enumerated() {
      #expect(try StructureReader.read(path: folder.write("v\(i).xyz", text)) == plain)
    }
    let handle = try #require(gzopen(folder["a.xyz.gz"], "wb"))
    let bytes = Array(Self.extended.utf8)
    gzwrite(handle, bytes, UInt32(bytes.count))
    gzclose(handle)
    #expect(try StructureReader.read(path: folder["a.xyz.gz"]) == plain)
    let packed = try folder.bytes("a.xyz.gz")
    try folder.write("cut.xyz.gz", Array(packed[..<(packed.count - 12)]))
    #expect(throws: InputError.self) { try StructureReader.read(path: folder["cut.xyz.gz"]) }
  }

  @Test("Velocities as vel, velocities and momenta agree")
  func velocities() throws {
    let folder = try TemporaryDirectory()
    func read(_ name: String, _ x: Double, _ masses: String) throws -> Double {
      let text = """
        1
        Properties=species:S:1:pos:R:3:\(name):R:3\(masses.isEmpty ? "" : ":masses:R:1") pbc="F F F"
        O 0 0 0 \(x) 0 0 \(masses)
        """
      let frame = try #require(
        try StructureReader.read(path: folder.write("a.xyz", text)).first)
      #expect(frame.arrays.isEmpty && frame.structure.cell == nil)
      return try #require(frame.structure.velocities)[0].x
    }
    #expect(try read("velocities", 0.5, "") == 0.5)
    #expect(abs(try read("momenta", 0.5 * 15.999, "") - 0.5) < 1e-15)
    #expect(try read("momenta", 9, "18.0") == 0.5)
    #expect(abs(try read("vel", 0.5 / 10.180505710, "") - 0.5) < 1e-8)
  }

  @Test("Plain XYZ is a molecule; several frames are read in order")
  func plain() throws {
    let folder = try TemporaryDirectory()
    let frames = try StructureReader.read(
      path: folder.write("a.xyz", "1\nit's water\nO 0 0 0\n2\n\nH 0 0 1\nH 0 0 2\n"))
    #expect(frames.map(\.structure.count) == [1, 2])
    #expect(frames.allSatisfy { $0.structure.cell == nil && $0.structure.periodicity == .none })
    #expect(frames[0].info.map(\.value) == ["it's water"])
  }

  @Test(
    "Malformed extended XYZ is refused with line, column and cause",
    arguments: [
      (
        "",
        "expected a structure or trajectory (extended XYZ, POSCAR, CIF, LAMMPS data or dump, AMBER NetCDF, DCD, H5MD), found an empty file (0 bytes)"
      ),
      (
        "3\n\nSi 0 0 0\nSi 1 1 1\n",
        ":5: expected 3 atoms in frame 1 (line 1), found the end of the file after 2"
      ),
      (
        "1\n\nSi 0 0 0\nSi 1 1 1\n",
        ":4: expected the number of atoms of frame 2 or the end of the file, found 'Si 1 1 1'. Compare the number of atoms of frame 1 with its lines"
      ),
      (
        "3\n\nSi 0 0 0\n2\n\nH 0 0 0\nH 0 0 0\n",
        ":4: expected 3 atoms in frame 1 (line 1), found 1"
      ),
      (
        "1\n\nSi 0 0\n",
        ":3: expected 4 columns for an atom, found 3. Name further columns by Properties=species:S:1:pos:R:3:… on line 2"
      ),
      (
        "1\nProperties=species:S:1:pos:R:3\nSi 0 0 0 5\n",
        ":3:10: expected 4 columns for an atom, found 5. Properties on line 2 says 4"
      ),
      (
        "1\n\nSi 0 1,5 0\n",
        ":3:6: expected a number (pos), found '1,5'; numbers have a decimal point and no commas"
      ),
      ("1\n\nSi 0 nan 0\n", ":3:6: expected a number (pos), found 'nan', which is not finite"),
      (
        "1\n\nSi 0 1e999 0\n",
        ":3:6: expected a number (pos), found '1e999', which is too large or not a number"
      ),
      ("1\n\nSi 0 0x10 0\n", ":3:6: expected a number (pos), found '0x10'"),
      ("0\n\n", ":1:1: expected a positive number of atoms, found 0"),
      ("-2\n\n", ":1:1: expected a positive number of atoms, found -2"),
      ("three\n\n", ":1: expected the number of atoms alone on the first line, found 'three'"),
      ("1\n", ":2: expected the comment line of frame 1, found the end of the file"),
      (
        "1\nLattice=\"1 0 0 0 1 0 0 0 1\" lattice=\"2 0 0 0 2 0 0 0 2\"\nSi 0 0 0\n",
        ":2:29: the key lattice is given twice"
      ),
      (
        "1\nLattice=\"1 0 0 0 1 0 0 0\"\nSi 0 0 0\n",
        ":2:1: expected Lattice=\"ax ay az bx by bz cx cy cz\" with 9 numbers, found 8"
      ),
      (
        "1\nLattice=\"1 0 0 0 1 0 0 0 0\"\nSi 0 0 0\n",
        ":2:1: the cell vector c of Lattice is zero. Give three vectors; where nothing repeats make one long enough and write pbc=\"T T F\""
      ),
      (
        "1\nLattice=\"1 0 0 0 1 0 1 1 0\"\nSi 0 0 0\n",
        ":2:1: the cell vectors of Lattice span no volume. Give three vectors; where nothing repeats make one long enough and write pbc=\"T T F\""
      ),
      ("1\nLattice=\"1 0 0 0 1 0 0 0 1\nSi 0 0 0\n", ":2:9: the value of Lattice has no end"),
      (
        "1\nProperties=species:S:1:pos:R\nSi 0 0 0\n",
        ":2:1: expected Properties=name:type:columns:…, found 5 parts. For example Properties=species:S:1:pos:R:3"
      ),
      ("1\nProperties=pos:R:3\n0 0 0\n", ":2:1: Properties has no species:S:1"),
      (
        "1\nProperties=species:S:1:pos:R:3 pbc=\"T T T\"\nSi 0 0 0\n",
        ":2:32: pbc says that the structure repeats, but there is no Lattice. Add Lattice=\"ax ay az bx by bz cx cy cz\""
      ),
      (
        "1\nLattice=\"1 0 0 0 1 0 0 0 1\" pbc=\"T T\"\nSi 0 0 0\n",
        ":2:29: expected pbc=\"T T T\" with T or F for each direction, found '\"T T\"'"
      ),
      (
        "1\n\nsi 0 0 0\n",
        ":3:1: expected an element symbol, found 'si', in other letters. Write Si"
      ),
      (
        "1\n\nD 0 0 0\n",
        ":3:1: expected an element symbol, found 'D', an isotope of hydrogen. Write H, and give the mass in the deck: masses: {H: 2.014}"
      ),
      (
        "1\n\nX 0 0 0\n",
        ":3:1: expected an element symbol, found 'X', a dummy atom. Remove dummy atoms: a potential knows elements only"
      ),
      (
        "1\n\nO2- 0 0 0\n",
        ":3:1: expected an element symbol, found 'O2-', with a charge. Write O without the charge"
      ),
      (
        "1\n\nSi1 0 0 0\n", ":3:1: expected an element symbol, found 'Si1', a label. Write Si alone"
      ),
      (
        "1\n\n14 0 0 0\n",
        ":3:1: expected an element symbol, found '14', an atomic number. Write the symbol, Si"
      ),
      (
        "1\n\nQz 0 0 0\n",
        ":3:1: expected an element symbol, found 'Qz'. Symbols are H, He, Li, … Og"
      ),
      (
        "1000000000\n\nSi 0 0 0\n",
        ":4: expected 1000000000 atoms in frame 1 (line 1), found the end of the file after 1"
      ),
    ])
  func malformed(text: String, message: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write("bad.xyz", text)
    let error = #expect(throws: InputError.self) { try StructureReader.read(path: path) }
    let expected = message.hasPrefix(":") ? path + message : path + ": " + message
    #expect(error?.description == expected)
  }

  @Test("What is no text or no regular file is refused at once, also a sparse file of 5 GB")
  func notText() throws {
    let folder = try TemporaryDirectory()
    mkfifo(folder["pipe.xyz"], 0o600)
    let sparse = folder["sparse.xyz"]
    try folder.write("sparse.xyz", "")
    #expect(truncate(sparse, 5_000_000_000) == 0)
    try folder.write("utf16.xyz", [0xff, 0xfe, 0x31, 0, 10, 0])
    try folder.write("one.xyz", "1")
    let time = processorSeconds {
      for path in [
        folder["pipe.xyz"], "/dev/zero", folder.path, sparse, folder["utf16.xyz"],
        folder["one.xyz"],
      ] {
        #expect(throws: InputError.self) { try StructureReader.read(path: path) }
      }
    }
    #expect(time < 1)
  }

  // MARK: POSCAR

  @Test("POSCAR: scales, Direct and Cartesian, selective dynamics, velocities")
  func poscar() throws {
    let folder = try TemporaryDirectory()
    let cell = "4 0 0\n1 5 0\n0 1 6\n"
    func read(_ text: String) throws -> StructureFrame {
      try StructureReader.first(path: folder.write("POSCAR", text))
    }
    let direct = try read("salt\n1.0\n\(cell)Na Cl_pv\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    #expect(direct.structure.elements.map(\.symbol) == ["Na", "Cl"])
    #expect(direct.structure.positions[1] == [2.5, 3, 3])
    #expect(direct.structure.velocities == nil)
    #expect(direct.info.first?.value == "salt")
    let scaled = try read(
      "salt\n2\n\(cell)Na Cl\n1 1\nSelective dynamics\nCart\n0 0 0 T T F\n1.25 1.5 1.5 F F F\n"
        + "\n0.1 0 0\n0 0 -0.2\n")
    #expect(scaled.structure.positions[1] == [2.5, 3, 3])
    #expect(scaled.structure.cell?.a == [8, 0, 0])
    let v = try #require(scaled.structure.velocities)
    #expect(abs(v[1].z + 2.0361012) < 1e-6)
    let volume = try read("v\n-960\n\(cell)Na\n1\nDirect\n0.5 0 0\n")
    #expect(abs(try #require(volume.structure.cell).volume - 960) < 1e-10)
    #expect(abs(volume.structure.positions[0].x - 4) < 1e-12)
    let zero = try read("v\n1\n\(cell)Na\n1\nDirect\n0.5 0 0\n\n0 0 0\n")
    #expect(zero.structure.velocities == nil)
  }

  @Test(
    "Malformed POSCAR is refused with line and cause",
    arguments: [
      (
        "x\n1\n1 0 0\n0 1 0\n0 0 1\n2\nDirect\n0 0 0\n0 0 0\n",
        ":6: expected element symbols, found numbers: a file of VASP 4. Add a line with the element symbols before the numbers of atoms"
      ),
      ("x\n1\n1 0 0\n0 1 0\n1 1 0\nSi\n1\nDirect\n0 0 0\n", ":5: the cell vectors span no volume"),
      (
        "x\n1\n1 0 0\n0 1 0\n0 0 1\nSi\n2\nDirect\n0 0 0\n",
        ":10: expected 2 positions, found the end of the file"
      ),
      (
        "x\n1\n1 0 0\n0 1 0\n0 0 1\nSi\n1\nDirect\n0 0 0\n0.5 0.5 0.5\n",
        ":10: expected the end of the file or a blank line before velocities, found '0.5'. Compare the numbers of atoms with the lines of positions"
      ),
      (
        "x\n1\n1 0 0\n0 1 0\n0 0 1\nSi O\n1\nDirect\n0 0 0\n",
        ":7: expected 2 numbers of atoms, one for each symbol, found 1"
      ),
      (
        "x\n1\n1 0 0\n0 1 0\n0 0 1\nSi\n1\n0 0 0\n", ":8:1: expected Direct or Cartesian, found '0'"
      ),
      (
        "x\n1\n1 0 0\n0 1 0\n0 0 1\nSi\n999999999\nDirect\n0 0 0\n",
        ":7:1: 999999999 atoms do not fit a file of 48 bytes"
      ),
    ])
  func malformedPoscar(text: String, message: String) throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write("POSCAR", text)
    let error = #expect(throws: InputError.self) { try StructureReader.read(path: path) }
    #expect(error?.description == path + message)
  }

  // MARK: CIF

  static let pyriteOperations = [
    "x,y,z", "-x+1/2,-y,z+1/2", "-x,y+1/2,-z+1/2", "x+1/2,-y+1/2,-z", "z,x,y", "z+1/2,-x+1/2,-y",
    "-z+1/2,-x,y+1/2", "-z,x+1/2,-y+1/2", "y,z,x", "-y,z+1/2,-x+1/2", "y+1/2,-z+1/2,-x",
    "-y+1/2,-z,x+1/2", "-x,-y,-z", "x+1/2,y,-z+1/2", "x,-y+1/2,z+1/2", "-x+1/2,y+1/2,z",
    "-z,-x,-y", "-z+1/2,x+1/2,y", "z+1/2,x,-y+1/2", "z,-x+1/2,y+1/2", "-y,-z,-x",
    "y,-z+1/2,x+1/2", "-y+1/2,z+1/2,x", "y+1/2,z,-x+1/2",
  ]

  static func pyrite(
    _ operations: [String] = pyriteOperations, iron: String = "Fe", occupancy: String = "1.0"
  ) -> String {
    """
    # a comment
    data_pyrite
    _chemical_name_mineral 'Fool's gold'
    _cell_length_a 5.416(2)
    _cell_length_b 5.416(2)
    _cell_length_c 5.416(2)
    _cell_angle_alpha 90
    _cell_angle_beta 90.0
    _cell_angle_gamma 90
    _publ_section_title
    ;
    A title; loop_ and data_ mean nothing here
    ;
    loop_
    _symmetry_equiv_pos_as_xyz
    \(operations.map { "'\($0)'" }.joined(separator: "\n"))
    loop_
    _atom_site_label
    _atom_site_type_symbol
    _atom_site_fract_x
    _atom_site_fract_y
    _atom_site_fract_z
    _atom_site_occupancy
    Fe1 \(iron) 0 0 0 \(occupancy)
    S1 S 0.3848(1) 0.3848(1) 0.3848(1) 1
    """
  }

  @Test("Pyrite from its two sites in Pa-3 has the distances that ase.spacegroup.crystal gives")
  func pyriteDistances() throws {
    let folder = try TemporaryDirectory()
    let s = try StructureReader.first(path: folder.write("a.cif", Self.pyrite())).structure
    #expect(
      s.elements.map(\.symbol) == Array(repeating: "Fe", count: 4) + Array(repeating: "S", count: 8)
    )
    // ASE 3.29: crystal(['Fe','S'], [(0,0,0),(0.3848,)*3], spacegroup=205, a=5.416), minimum images.
    var sum = 0.0
    var near: [Double] = []
    for p in s.positions {
      for q in s.positions {
        var d = p - q
        for k in 0..<3 { d[k] -= 5.416 * (d[k] / 5.416).rounded() }
        sum += dot(d, d).squareRoot()
        if p == s.positions[0], q != p { near.append(dot(d, d).squareRoot()) }
      }
    }
    #expect(abs(sum - 383.152635118199) < 1e-9)
    #expect(near.sorted()[..<6].allSatisfy { abs($0 - 2.26316955) < 1e-8 })
  }

  @Test(
    "Symmetry operations in every spelling of CIF",
    arguments: [
      ("-x+1/2, -y , z+1/2", [-1.0, 0, 0, 0, -1, 0, 0, 0, 1], [0.5, 0, 0.5]),
      ("1/2+X,Y-0.25,-Z", [1, 0, 0, 0, 1, 0, 0, 0, -1], [0.5, -0.25, 0]),
      ("-y,x-y,z+2/3", [0, -1, 0, 1, -1, 0, 0, 0, 1], [0, 0, 2.0 / 3]),
    ])
  func operations(text: String, matrix: [Double], shift: [Double]) throws {
    let o = try #require(SymmetryOperation(text))
    #expect((0..<9).allSatisfy { o.rotation[$0 / 3, $0 % 3] == matrix[$0] })
    #expect((0..<3).allSatisfy { o.translation[$0] == shift[$0] })
    for bad in ["x,y", "x,y,w", "x,x,z", "x,,z", "x,y,1/0+z", ""] {
      #expect(SymmetryOperation(bad) == nil)
    }
  }

  @Test("Malformed CIF is refused with place and cause")
  func malformedCIF() throws {
    let folder = try TemporaryDirectory()
    func message(_ text: String) throws -> String? {
      let path = try folder.write("a.cif", text)
      let error = #expect(throws: InputError.self) { try StructureReader.read(path: path) }
      return error.map { String($0.description.dropFirst(path.count)) }
    }
    let p1 = ["x,y,z"]
    #expect(
      try message(Self.pyrite(p1, occupancy: "0.5"))
        == ":24:14: the site Fe1 is occupied to 0.5. Write an ordered structure: every site whole or absent"
    )
    #expect(
      try message(Self.pyrite(p1, iron: "Fe2+"))
        == ":24:5: expected an element symbol, found 'Fe2+', with a charge. Write Fe without the charge"
    )
    #expect(
      try message(Self.pyrite(["x,y"]))
        == ":16:1: expected a symmetry operation such as -x,y+1/2,-z, found 'x,y'")
    #expect(
      try message(
        Self.pyrite(p1).replacingOccurrences(of: "0.3848(1) 0.3848(1) 0.3848(1)", with: "0 0 1"))
        == ":25:6: the sites of Fe and S coincide. Write an ordered structure: one element for each site"
    )
    #expect(
      try message(
        Self.pyrite(p1).replacingOccurrences(
          of: "loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'",
          with: "_symmetry_space_group_name_H-M 'P a -3'"))
        == ":14:32: the space group P a -3 is named, but its symmetry operations are not listed. "
        + "Export the CIF with _space_group_symop_operation_xyz, or expand it to P 1")
    #expect(
      try message(Self.pyrite(p1) + "\nO1 O 0.5\n")
        == ":26:6: the loop of _atom_site_label has 6 columns, but 15 values. A row is incomplete")
    #expect(
      try message(Self.pyrite(p1).replacingOccurrences(of: "_cell_length_b 5.416(2)\n", with: ""))
        == ":2: expected _cell_length_b, found none in data_pyrite")
    #expect(
      try message("data_x\n_cell_length_a 3\n")
        == ": expected a CIF with atom sites, found no _atom_site_fract_x")
  }

  // MARK: LAMMPS data

  @Test(
    "LAMMPS data: atom styles by comment or columns, tilt, images, order by number, velocities",
    arguments: [
      ("Atoms # atomic", "2 2 1 2 3 1 0 -1", "1 1 0 0 0 0 0 0"),
      ("Atoms", "2 2 1 2 3 1 0 -1", "1 1 0 0 0 0 0 0"),
      ("Atoms # charge", "2 2 0.5 1 2 3 1 0 -1", "1 1 -0.5 0 0 0 0 0 0"),
      ("Atoms", "2 2 0.5 1 2 3 1 0 -1", "1 1 -0.5 0 0 0 0 0 0"),
      ("Atoms # molecular", "2 1 2 1 2 3 1 0 -1", "1 1 1 0 0 0 0 0 0"),
      ("Atoms  # full", "2 1 2 0.5 1 2 3 1 0 -1", "1 1 1 -0.5 0 0 0 0 0 0"),
      ("Atoms", "2 7 2 0.5 1 2 3 1 0 -1", "1 7 1 -0.5 0 0 0 0 0 0"),
    ])
  func lammpsData(head: String, second: String, first: String) throws {
    let folder = try TemporaryDirectory()
    let text = """
      LAMMPS data file, units = real

      2 atoms
      2 atom types
      1 9 xlo xhi
      0 8 ylo yhi
      0 7 zlo zhi
      1 2 3 xy xz yz

      Masses

      1 28.085
      2 15.9 # O

      \(head)

      \(second)
      \(first)

      Velocities

      2 0.01 0 0
      1 0 0 0.02

      Bonds

      1 1 1 2
      """
    let frame = try StructureReader.first(path: folder.write("a.data", text))
    let s = frame.structure
    #expect(s.elements.map(\.symbol) == ["Si", "O"])
    #expect(s.cell == (try Cell(a: [8, 0, 0], b: [1, 8, 0], c: [2, 3, 7])))
    let image: SIMD3<Double> = [1 + 8 - 2, 2 - 3, 3 - 7]
    #expect(s.positions[1] == image)
    let v = try #require(s.velocities)
    #expect(abs(v[1].x - 0.10180506) < 1e-8 && abs(v[0].z - 0.20361011) < 1e-8)
    #expect(s.masses == [28.085, 15.9])
  }

  @Test(
    "Malformed LAMMPS data is refused with line and cause",
    arguments: [
      ("1 28.085", "3 1 0 0 0", ":13:3: type 1 is not in the section Masses"),
      ("1 28.085", "1 1 0 0 0\n2 1 0 0 0", ":14: expected 1 lines in the section Atoms, found 2"),
      (
        "1 50", "1 1 0 0 0",
        ":9: type 1 of mass 50.0 is no single element. Name it in a comment: 1 50.0 # Si"
      ),
      ("1 28.085", "1 1 0 x 0", ":13:7: expected y, found 'x'"),
    ])
  func malformedLammps(mass: String, atoms: String, message: String) throws {
    let folder = try TemporaryDirectory()
    var masses = mass
    if message.contains("not in") { masses = "2 28.085" }
    let text =
      "title\n\n1 atoms\n0 5 xlo xhi\n0 5 ylo yhi\n0 5 zlo zhi\nMasses\n\n\(masses)\n\nAtoms\n\n\(atoms)\n"
    let path = try folder.write("a.lmp", text)
    let error = #expect(throws: InputError.self) { try StructureReader.read(path: path) }
    #expect(error?.description == path + message)
  }

  // MARK: writers

  @Test("Extended XYZ written and read again is the same to the last bit")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    var frame = try StructureReader.first(path: folder.write("a.xyz", Self.extended))
    frame.structure.positions[1] = [1.0 / 3, -1e-17, 6.02214076e23]
    frame.structure.masses = [28, 16, 2.014]
    frame.structure.velocities = nil
    frame.setInfo("energy", [-1.0 / 7])
    frame.setInfo("new key", "with \"quotes\" and = signs")
    frame.setColumn(
      AtomColumn(name: "forces", vectors: [[0.1, 0.2, 0.3], [1, 2, 3], [4, 5, 6]]))
    #expect(frame.info.map(\.key) == ["energy", "name", "set", "list", "flag", "new key"])
    #expect(frame.arrays.map(\.name) == ["forces", "tag", "fixed", "site"])
    let text = StructureWriter.extendedXYZ(frame)
    let again = try StructureReader.first(path: folder.write("b.xyz", text))
    #expect(again == frame)
    #expect(StructureWriter.extendedXYZ(again) == text)
  }

  @Test("POSCAR and LAMMPS data written and read again hold the same structure")
  func otherRoundTrips() throws {
    let folder = try TemporaryDirectory()
    var frame = try StructureReader.first(path: folder.write("a.xyz", Self.extended))
    frame.structure.periodicity = .all
    // A cell that is not in the orientation of LAMMPS.
    frame.structure.cell = try Cell(a: [5, 1, 0], b: [-1, 6, 1], c: [0.5, 0, 7])
    let poscar = try #require(StructureWriter.poscar(frame.structure, title: "t"))
    let back = try StructureReader.first(path: folder.write("x.vasp", poscar)).structure
    #expect(back.cell == frame.structure.cell && back.positions == frame.structure.positions)
    #expect(back.elements == frame.structure.elements)
    let data = try StructureWriter.lammpsData(frame, title: "t")
    let turned = try StructureReader.first(path: folder.write("x.lmp", data)).structure
    let cell = try #require(frame.structure.cell)
    let other = try #require(turned.cell)
    #expect(other.a.y == 0 && other.a.z == 0 && other.b.z == 0)
    #expect(turned.elements == frame.structure.elements)
    // Fractional coordinates and speeds do not change by a rotation.
    for i in 0..<3 {
      let s = cell.fractionalMatrix * frame.structure.positions[i]
      let t = other.fractionalMatrix * turned.positions[i]
      #expect((0..<3).allSatisfy { abs(s[$0] - t[$0]) < 1e-12 })
      let v = try #require(frame.structure.velocities)[i]
      let w = try #require(turned.velocities)[i]
      #expect(abs(dot(v, v) - dot(w, w)) < 1e-15)
    }
    frame.structure.cell = try Cell(a: [0, 5, 0], b: [5, 0, 0], c: [0, 0, 5])
    let error = #expect(throws: InputError.self) {
      try StructureWriter.lammpsData(frame, title: "t")
    }
    #expect(error?.remedy.contains("Swap the vectors b and c") == true)
  }
}
