import ArgumentParser
import Configuration
import Histogram
import Logging
import ServiceLifecycle
@main struct M { static func main() { } }
