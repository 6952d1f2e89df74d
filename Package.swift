// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name, dependencies: dependencies, swiftSettings: strict,
    linkerSettings: [.linkedLibrary("m")])
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    exclude: exclude, swiftSettings: strict)
}

let package = Package(
  name: "Apus",
  products: [.executable(name: "apus", targets: ["apus"])],
  targets: [
    .systemLibrary(name: "CHost"),
    .systemLibrary(
      name: "CNetCDF", pkgConfig: "netcdf", providers: [.apt(["libnetcdf-dev"])]),
    .systemLibrary(name: "CFFTW", pkgConfig: "fftw3", providers: [.apt(["libfftw3-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    library("Matter", ["CHost"]),
    library("Parallel", ["CHost"]),
    library("Neighbors", ["Matter", "Parallel"]),
    library("Potentials", ["Matter", "Parallel", "Neighbors"]),
    library("NEP", ["CHost", "Matter", "Parallel", "Neighbors", "Potentials"]),
    library("Trajectory", ["CNetCDF", "CZlib", "Matter"]),
    library("Dynamics", ["Matter", "Parallel", "Neighbors", "Potentials", "Trajectory"]),
    library("Scattering", ["CFFTW", "Matter", "Parallel", "Trajectory"]),
    library("Analysis", ["CFFTW", "CHost", "Matter", "Parallel", "Trajectory", "Scattering"]),
    library("Decks", ["CYAML", "Matter", "Trajectory", "Dynamics", "Analysis", "Scattering"]),
    .executableTarget(
      name: "apus",
      dependencies: [
        "CHost", "Matter", "Parallel", "Neighbors", "Potentials", "NEP", "Trajectory", "Dynamics",
        "Analysis", "Scattering", "Decks",
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: ["Matter", "Parallel", "Neighbors", "Potentials"],
      path: "Tests/TestSupport", swiftSettings: strict),
    tests("Matter", []),
    tests("Parallel", []),
    tests("Trajectory", ["CZlib", "Matter"], exclude: ["Fixtures"]),
    tests("Potentials", ["Matter"]),
    tests("Dynamics", ["Matter", "Parallel", "Neighbors", "Potentials", "NEP", "Trajectory"]),
    tests("Analysis", ["CHost", "Matter", "Parallel", "Trajectory"]),
    tests("Scattering", ["Matter", "Parallel", "Trajectory"]),
    tests("Decks", ["Matter", "Dynamics", "Analysis", "Scattering", "Trajectory"]),
    tests("Neighbors", ["Matter", "Parallel"]),
    .testTarget(
      name: "ApusTests", dependencies: ["apus", "TestSupport", "Matter", "Trajectory"],
      swiftSettings: strict),
    tests("NEP", ["Matter", "Parallel", "Neighbors", "Potentials"]),
  ],
  swiftLanguageModes: [.v6]
)
