// swift-tools-version: 6.2
import PackageDescription

var strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
// Set by `make lint` and `make test`: a warning is for the project's developers to mend, not for its users to meet.
if Context.environment["HOLDFAST_STRICT"] != nil { strict.append(.treatAllWarnings(as: .error)) }

// Both are epoll loops, and the load generator reads /proc.
#if os(Linux)
  let notHere = (server: [String](), commands: [String]())
#else
  let notHere = (server: ["Epoll"], commands: ["Bench"])
#endif

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "holdfast",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Holdfast", targets: ["Holdfast"]),
    .library(name: "HoldfastServer", targets: ["HoldfastServer"]),
    .library(name: "HoldfastClient", targets: ["HoldfastClient"]),
    .executable(name: "holdfast", targets: ["HoldfastCLI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["JSON", "YAML"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(
      name: "Holdfast",
      dependencies: [.product(name: "DequeModule", package: "swift-collections")],
      swiftSettings: strict),
    .target(name: "HoldfastProtocol", swiftSettings: strict),
    .target(
      name: "HoldfastServer",
      dependencies: [
        "Holdfast", "HoldfastProtocol", nio, nioPosix, logging, lifecycle,
        .target(name: "CLinux", condition: .when(platforms: [.linux])),
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      exclude: notHere.server,
      // Whatever could touch memory that is not its own has to say `unsafe`.
      swiftSettings: strict + [.strictMemorySafety()]),
    .target(
      name: "HoldfastClient",
      dependencies: [
        "HoldfastProtocol", .product(name: "AsyncHTTPClient", package: "async-http-client"), nio, nioHTTP1,
      ],
      swiftSettings: strict),
    .target(name: "CLinux"),
    .executableTarget(
      name: "HoldfastCLI",
      dependencies: [
        "Holdfast", "HoldfastServer", "HoldfastClient", "HoldfastProtocol",
        .target(name: "CLinux", condition: .when(platforms: [.linux])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        logging, lifecycle,
      ],
      exclude: notHere.commands,
      swiftSettings: strict),
    .testTarget(name: "HoldfastTests", dependencies: ["Holdfast"], swiftSettings: strict),
    .testTarget(
      name: "HoldfastClientTests",
      dependencies: [
        "HoldfastClient", "HoldfastProtocol", nio, nioPosix, nioHTTP1,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "HoldfastServerTests",
      dependencies: [
        "Holdfast", "HoldfastProtocol", "HoldfastServer", nio, nioPosix, nioHTTP1, logging,
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .testTarget(name: "HoldfastCLITests", dependencies: ["HoldfastCLI", logging], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "HoldfastCLI", "HoldfastClient", .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: strict),
  ]
)
