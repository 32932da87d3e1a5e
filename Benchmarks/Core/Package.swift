// swift-tools-version: 6.2
import PackageDescription

// How long the core's operations take, apart from any socket: `swift run -c release --package-path Benchmarks/Core`.
// The parent package brings its whole dependency graph along for resolution; only the core is compiled.
let package = Package(
  name: "core-benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "holdfast", path: "../..")],
  targets: [
    .executableTarget(name: "CoreBenchmarks", dependencies: [.product(name: "Holdfast", package: "holdfast")])
  ]
)
