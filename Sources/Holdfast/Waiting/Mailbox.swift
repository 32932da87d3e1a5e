import Synchronization

/// How others reach a loop: the channels that have news for it, and a wake-up, of which at most one is under way.
final class Mailbox: Sendable {
  private struct News {
    var channels: [ChannelName] = []
    var isWoken = false
  }

  /// Its bit in the interest of channels.
  let index: Int
  private let wake: @Sendable () -> Void
  private let news = Mutex(News())

  init(index: Int, wake: @escaping @Sendable () -> Void) {
    self.index = index
    self.wake = wake
  }

  /// Tells of news on a channel. A wake-up that is under way takes it along.
  func post(_ channel: ChannelName) {
    let isFirst = news.withLock { news in
      news.channels.append(channel)
      defer { news.isWoken = true }
      return !news.isWoken
    }
    if isFirst { wake() }
  }

  func takeNews() -> [ChannelName] {
    news.withLock { news in
      if !news.isWoken { return [] }
      defer { news = News() }
      return news.channels
    }
  }
}
