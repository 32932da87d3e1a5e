#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Keeps the cursor of one subscription, so that another process goes on where this one was.
///
/// A store that throws is told as ``HoldfastClientError/Code/storeFailed``, and the subscription goes on without it; so is
/// one that holds what the server takes for no cursor, and the subscription begins as if it had held nothing.
///
///     actor Memory: CursorStore {
///       var cursor: String?
///       func get() -> String? { cursor }
///       func set(_ cursor: String) { self.cursor = cursor }
///     }
public protocol CursorStore: Sendable {
  /// What was kept last; `nil` where nothing was. Asked once, when a subscription begins.
  func get() async throws -> String?

  /// Keeps a cursor in place of the one before. Called each time that the cursor has moved, which is with every message;
  /// the next message waits for its return.
  func set(_ cursor: String) async throws
}

/// Keeps a cursor in a file, alone on its line. The file is replaced as a whole, so that a process that ends amid that
/// leaves the cursor before it or the one after it.
public struct FileCursorStore: CursorStore {
  /// Why a file could not be read or written.
  public struct Failure: Error, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): \(reason)" }
  }

  private let url: URL

  /// - Parameter path: The file's path. The file comes into being with the first cursor; its folder must be there.
  public init(path: String) {
    url = URL(filePath: path)
  }

  public func get() throws(Failure) -> String? {
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      return nil
    } catch {
      throw failure(error)
    }
    let text = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace).first
    return text.map(String.init)
  }

  public func set(_ cursor: String) throws(Failure) {
    do { try Data((cursor + "\n").utf8).write(to: url, options: .atomic) } catch { throw failure(error) }
  }

  /// What the system said, where it did, without what Foundation wraps it in.
  private func failure(_ error: any Error) -> Failure {
    let system = (error as? CocoaError)?.underlying as? POSIXError
    return Failure(path: url.path, reason: system.map { String(cString: strerror($0.code.rawValue)) } ?? "\(error)")
  }
}
