/// The calls of Linux that Swift's Glibc module does not offer: epoll, a few socket options, a byte search.
/// Each returns -1 with `errno` set where the call underneath does, and none of them blocks unless it says so.
#ifndef CLINUX_H
#define CLINUX_H
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/// A new epoll instance, closed on exec.
int clinux_epoll_create(void);

/// Watches `descriptor` for `events`; `tag` comes back with each of its events.
int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag);

/// Changes what a watched descriptor is watched for.
int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag);

/// Waits for events, at most `timeout_ns` nanoseconds; negative waits for ever. A signal counts as no event.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns);

/// Starts a TCP connection over IPv4 without waiting for it: a non-blocking socket without Nagle's delay, closed on
/// exec. Addresses are in host order. A `source` other than 0 is bound before the connect, and its port is chosen only
/// then, so that one source address can have all its ports for each destination.
int clinux_connect_ipv4(uint32_t source, uint32_t address, uint16_t port);

/// The error that a finished `connect` left on its socket; 0 when it succeeded.
int clinux_socket_error(int descriptor);

/// Lets blocks of at least `bytes` that are asked for be of their own, apart from the heap, where the C library can do that.
void clinux_keep_large_blocks_apart(int bytes);

/// Where `needle` first stands in `haystack`, or -1.
ptrdiff_t clinux_find(const void *haystack, size_t haystack_bytes, const void *needle, size_t needle_bytes);

#endif
