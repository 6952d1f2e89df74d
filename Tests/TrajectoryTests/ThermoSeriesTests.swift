import Matter
import Testing
import Trajectory

@Suite struct ThermoSeriesTests {
  private static func read(
    _ name: String, _ text: String, _ options: ThermoSeriesReader.Options = .init()
  ) throws -> ThermoSeries {
    let folder = try TemporaryDirectory()
    return try ThermoSeriesReader.read(path: folder.write(name, text), options: options)
  }

  private static func problem(
    _ text: String, _ options: ThermoSeriesReader.Options = .init()
  ) -> String {
    do {
      _ = try read("file", text, options)
      return ""
    } catch let error as InputError {
      return "\(error.line.map { "\($0): " } ?? "")\(error.message)"
    } catch { return "\(error)" }
  }

  // MARK: our thermo.csv

  private static let csv = """
    step,time_ps,temperature_K,potential_eV,kinetic_eV,stress_xx_GPa,stress_yy_GPa,stress_zz_GPa,stress_yz_GPa,stress_xz_GPa,stress_xy_GPa,volume_A3,a_A,b_A,c_A,alpha_deg,beta_deg,gamma_deg
    10,0.01,300,-5.5,0.5,1,2,3,4,5,6,60,3,4,5,90,90,90
    20,0.02,nan,-5.25,0.25,-1,-2,-3,-4,-5,-6,120,6,4,5,90,90,90

    """

  @Test("thermo.csv gives its columns, NaN included")
  func ours() throws {
    let s = try Self.read("thermo.csv", Self.csv)
    #expect(s.times == [0.01, 0.02] && abs(s.spacing - 0.01) < 1e-15)
    #expect(s.potential == [-5.5, -5.25] && s.kinetic == [0.5, 0.25])
    #expect(s.temperature?[0] == 300 && s.temperature?[1].isNaN == true)
    #expect(s.stress?.map { $0[0] } == [1, 2, 3, 4, 5, 6])
    #expect(s.pressure == [-2, 2])
    #expect(s.cells?[1].lengths == [6, 4, 5])
    #expect(s.notes.isEmpty)
  }

  @Test("a last line that is still being written is left out, a damaged one is refused")
  func growing() throws {
    let whole = Self.csv.dropLast()
    // Every place where the writer may stand within the last line, its missing end included.
    let start = whole.lastIndex(of: "\n") ?? whole.startIndex
    for end in whole[start...].indices.dropFirst() {
      let s = try Self.read("thermo.csv", String(whole[..<end]))
      #expect(s.times == [0.01])
    }
    #expect(try Self.read("thermo.csv", String(whole)).times == [0.01])
    let header = Self.csv.prefix { $0 != "\n" } + "\n"
    #expect(try Self.read("thermo.csv", String(header)).count == 0)
    #expect(
      Self.problem(header + "10,0.01,300\n20,0.02,300\n")
        == "2: expected 18 numbers, found 3 in 3 cells")
    #expect(
      Self.problem(header + "10,0.01,300\n") == "2: expected 18 numbers, found 3 in 3 cells")
  }

  // MARK: LAMMPS

  private static let log = """
    LAMMPS (29 Aug 2024)
    units metal
    timestep 0.002
      8 atoms
    fix 1 all nve
    Per MPI rank memory allocation (min/avg/max) = 3.0 | 3.0 | 3.0 Mbytes
       Step          Temp          PotEng         TotEng         Press
             0   300            -34.0          -33.0          1000
            10   310            -33.9          -32.9          2000
            20   310            -33.9          -32.9          2000
    Loop time of 0.1 on 1 procs for 20 steps with 8 atoms
    unfix 1
    fix 2 all npt temp 300 300 0.1 iso 5000 5000 1.0
    Setting up Verlet run ...
      Unit style    : metal
      Current step  : 20
      Time step     : 0.001
    Per MPI rank memory allocation (min/avg/max) = 3.0 | 3.0 | 3.0 Mbytes
       Step          Temp          PotEng         KinEng         Pxx            Pyy            Pzz            Pxy            Pxz            Pyz           Volume           Lx             Ly             Lz
            20   300            -34.0           1.0            10000          20000          30000          1e4            2e4            3e4            160            5              4              8
    WARNING: something happened
            30   320            -33.0           1.5           -10000         -20000         -30000         -1e4           -2e4           -3e4            200            5              5              8
    Loop time of 0.1 on 1 procs for 10 steps with 8 atoms

    """

  @Test("the last run of a LAMMPS log gives its columns, ensemble and targets")
  func lammps() throws {
    let s = try Self.read("log.lammps", Self.log)
    #expect(s.times == [0.02, 0.03])
    #expect(s.temperature == [300, 320] && s.potential == [-34, -33] && s.kinetic == [1, 1.5])
    #expect(s.stress?.map { $0[0] } == [-1, -2, -3, -3, -2, -1])
    #expect(s.volume == [160, 200] && s.cells?[1].lengths == [5, 5, 8])
    #expect(s.atomCount == 8 && s.ensemble == .npt)
    #expect(s.targetTemperature == 300 && s.targetPressure == 0.5)
    #expect(s.notes == ["run 2 of 2 in the log is used, 2 rows"])
  }

  @Test("real units, styles multi and yaml, and a log without its units")
  func lammpsStyles() throws {
    let multi = """
      ------------ Step              0 ----- CPU =            0 (sec) -------------
      TotEng   =       -20.0 KinEng   =         3.0 Temp     =       100.0
      PotEng   =       -23.0 Press    =         2.0
      ------------ Step             50 ----- CPU =            0.1 (sec) -------------
      TotEng   =       -21.0 KinEng   =         3.5 Temp     =       110.0
      PotEng   =       -24.5 Press    =         4.0
      Loop time of 0.1 on 1 procs for 50 steps with 32 atoms

      """
    #expect(Self.problem(multi) == "the log does not tell its units")
    #expect(
      Self.problem(multi, .init(units: .real)) == "the log does not tell its time step")
    let s = try Self.read("log", multi, .init(rowSpacingFs: 50, units: .real))
    #expect(s.times == [0, 0.05] && s.atomCount == 32)
    #expect(abs((s.potential?[1] ?? 0) + 24.5 / 23.06054783) < 1e-12)
    #expect(abs((s.pressure?[1] ?? 0) - 4 * 1.01325e-4) < 1e-15)
    let yaml = """
      Unit style    : real
      Time step     : 0.5
      ---
      keywords: ['Step', 'Temp', 'PotEng', ]
      data:
        - [0, 300, -23.06054783, ]
        - [100, 301, -46.12109566, ]
      ...
      Loop time of 0.1 on 1 procs for 100 steps with 4 atoms

      """
    let y = try Self.read("log", yaml)
    #expect(y.times == [0, 0.05] && y.temperature == [300, 301])
    #expect(abs((y.potential?[1] ?? 0) + 2) < 1e-12)
  }

  // MARK: GPUMD

  @Test("thermo.out of GPUMD by its number of columns, or by its header")
  func gpumd() throws {
    let nine = "300 1.5 -40 1 2 3 10 11 12\n310 1.6 -41 1 2 3 10 11 12\n"
    let s = try Self.read("thermo.out", nine, .init(rowSpacingFs: 10))
    #expect(s.times == [0.01, 0.02] && s.potential == [-40, -41] && s.kinetic == [1.5, 1.6])
    #expect(s.pressure == [2, 2] && s.stress == nil && s.volume == [1320, 1320])
    let twelve = "300 1.5 -40 1 2 3 4 5 6 10 11 12\n"
    let t = try Self.read("thermo.out", twelve, .init(rowSpacingFs: 10))
    #expect(t.stress?.map { $0[0] } == [-1, -2, -3, -4, -5, -6])
    let eighteen = "300 1.5 -40 1 2 3 4 5 6 10 0 0 1 11 0 0 2 12\n"
    let e = try Self.read("thermo.out", eighteen, .init(rowSpacingFs: 10))
    #expect(e.cells?[0].b == [1, 11, 0] && abs((e.volume?[0] ?? 0) - 1320) < 1e-9)
    let headed = """
      # num_atoms 64
      # dt_output 20 fs
      # columns T KE PE sxx syy szz syz sxz sxy ax ay az bx by bz cx cy cz
      300 1.5 -40 1 2 3 4 5 6 10 0 0 1 11 0 0 2 12

      """
    let h = try Self.read("thermo.out", headed)
    #expect(h.atomCount == 64 && h.times == [0.02])
    #expect(Self.problem(nine) == "thermo.out does not tell the time between its rows")
    #expect(
      Self.problem("1 2 3 4 5\n", .init(rowSpacingFs: 1))
        == "1: expected 9, 12, 15 or 18 columns of thermo.out, found 5")
    let torn = try Self.read("thermo.out", nine + "320 1.7", .init(rowSpacingFs: 10))
    #expect(torn.count == 2)
  }

  // MARK: trajectories

  @Test("extended XYZ gives energies, and static stresses in GPa from stress or virial")
  func extendedXYZ() throws {
    func frame(_ info: String) -> String {
      "1\nLattice=\"2 0 0 0 3 0 0 0 4\" Properties=species:S:1:pos:R:3 \(info)\nAr 0 0 0\n"
    }
    let text =
      frame("energy=-1.5 time_ps=1 virial=\"24 0 0 0 48 0 0 0 72\"")
      + frame("energy=-1.25 time_ps=1.5 stress=\"1 6 5 6 2 4 5 4 3\"")
    let s = try Self.read("movie.xyz", text)
    #expect(s.times == [1, 1.5] && s.potential == [-1.5, -1.25] && s.atomCount == 1)
    #expect(!s.stressIsFull)
    let gpa = 160.2176634
    let first = s.stress?.map { $0[0] / gpa } ?? []
    let second = s.stress?.map { $0[1] / gpa } ?? []
    #expect(zip(first, [-1, -2, -3, 0, 0, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(zip(second, [1, 2, 3, 4, 5, 6]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(Self.problem(frame("energy=1")) == "the frames do not tell their times")
  }

  @Test("spans of time and strides count from the first row")
  func rows() throws {
    var s = ThermoSeries(source: "", kind: "", times: (0..<100).map { 5 + Double($0) * 0.1 })
    s.potential = (0..<100).map { Double($0) }
    s.stress = (0..<6).map { k in (0..<100).map { Double(k + $0) } }
    let part = s.rows(from: 1, to: 2, every: 5)
    #expect(part.potential == [10, 15, 20])
    #expect(part.stress?[2] == [12, 17, 22])
    #expect(s.rows(from: nil, to: nil, every: 1) == s)
    #expect(s.rows(from: 50, to: nil, every: 1).count == 0)
  }

  @Test("what is no series is refused with a list of what is known")
  func unknown() {
    #expect(
      Self.problem("hello\nworld\n")
        == "expected a thermodynamic series or a trajectory, found none of the known kinds")
  }
}
