import Foundation
import Matter
import NEP
import Neighbors
import Parallel
import Potentials

// usage: apus model kind precision threads repeats
let arguments = CommandLine.arguments
let model = try NEPModel.read(path: arguments[1])
var elements: [Element] = []
var positions: [SIMD3<Double>] = []
let random = Philox(seed: 5)
let si = arguments[2].hasPrefix("si")
let a = si ? 5.43 : 4.05
let cells = si ? Int(arguments[2].dropFirst(2))! : 6
let cz = si ? cells : 7
let basis: [SIMD3<Double>] = si
  ? [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.75, 0.25, 0.75], [0.25, 0.75, 0.75]]
  : [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
for i in 0..<cells { for j in 0..<cells { for k in 0..<cz { for b in basis {
  let n = random.normal(.test, step: 0, index: positions.count)
  let m = random.normal(.test, step: 1, index: positions.count)
  positions.append((SIMD3(Double(i), Double(j), Double(k)) + b) * a + SIMD3(n.x, n.y, m.x) * 0.05)
  elements.append(si ? Element(symbol: "Si")! : model.elements[Int(random.uniform(.test, step: 2, index: positions.count).x * 16)])
} } } }
let configuration = Configuration(elements: elements, cell: try Cell(orthogonal: [Double(cells) * a, Double(cells) * a, Double(cz) * a]), positions: Vectors(positions))
let evaluator = ForceEvaluator(potential: NEPPotential(model, precision: arguments[3] == "double" ? .double : .mixed), team: ThreadTeam(count: Int(arguments[4])!))
var result = Evaluation(count: elements.count)
let clock = ContinuousClock()
let t0 = clock.now
try evaluator.neighbors.build(configuration, team: evaluator.team)
let build = clock.now - t0
try evaluator.evaluate(configuration, needing: .virial, into: &result)
var times: [Double] = []
for _ in 0..<Int(arguments[5])! {
  let t = clock.now
  try evaluator.evaluate(configuration, needing: .virial, into: &result)
  let d = clock.now - t
  times.append(Double(d.components.attoseconds) * 1e-18 + Double(d.components.seconds))
}
times.sort()
print(arguments[2], arguments[3], "threads", arguments[4], "E", result.energy, "build", build, "best", Double(elements.count) / times[0], "median", Double(elements.count) / times[times.count / 2])
if arguments.count > 6 {
  var s = "\(elements.count)\nLattice=\"\(Double(cells) * a) 0 0 0 \(Double(cells) * a) 0 0 0 \(Double(cz) * a)\" Properties=species:S:1:pos:R:3\n"
  for (e, p) in zip(elements, positions) { s += "\(e) \(p.x) \(p.y) \(p.z)\n" }
  try s.write(toFile: arguments[6], atomically: true, encoding: .utf8)
}
