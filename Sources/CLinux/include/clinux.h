/// The calls of Linux that Swift's Glibc module does not offer: epoll, eventfd, listening and accepting, a byte search.
/// Each returns -1 with `errno` set where the call underneath does, and none of them blocks but the wait, and the look-up of
/// a host's name by clinux_listen.
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

/// Ends the watching of a descriptor. Closing it does the same.
int clinux_epoll_remove(int epoll, int descriptor);

/// Waits for events, at most `timeout_ns` nanoseconds; negative waits for ever. A signal counts as no event.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns);

/// Starts a TCP connection over IPv4 without waiting for it: a non-blocking socket without Nagle's delay, closed on
/// exec. Addresses are in host order. A `source` other than 0 is bound before the connect, and its port is chosen only
/// then, so that one source address can have all its ports for each destination.
int clinux_connect_ipv4(uint32_t source, uint32_t address, uint16_t port);

/// A non-blocking counter that can be waited for, closed on exec.
int clinux_eventfd_create(void);

/// Makes an eventfd readable.
int clinux_eventfd_signal(int descriptor);

/// Makes it unreadable again.
int clinux_eventfd_clear(int descriptor);

/// A non-blocking TCP socket that listens on the first address that `host` stands for, closed on exec. With `reuse_port`
/// other sockets of this user may listen on the same port. A failure to look `host` up is put into `lookup_error`, for
/// `gai_strerror`.
int clinux_listen(const char *host, uint16_t port, int backlog, int reuse_port, int *lookup_error);

/// Has the peer of a connection looked after: no Nagle's delay; probes after `idle` seconds of silence, then each `interval`,
/// `count` times; and an end when what was sent is not acknowledged for as long as all that takes. On Linux a connection
/// has these from its listener, if that had them when it began. Fails where `socket` is not of TCP.
int clinux_watch_peers(int socket, int idle, int interval, int count);

/// Has a TCP listener drop whoever begins to connect from now on, without a word, so that the client tries again after a
/// second; connections under way go on. There is no way back.
int clinux_drop_new(int listener);

/// 1 for a stream socket that listens, else 0.
int clinux_is_listening(int descriptor);

/// The local port of a socket, or -1.
int clinux_local_port(int descriptor);

/// The address a socket is bound to, as text: an IP address, or the path of a Unix socket. -1 where there is neither.
int clinux_local_address(int descriptor, char *text, size_t capacity);

/// Accepts a connection, non-blocking and closed on exec. Its peer's address comes as the halves of an IPv6 address, in
/// which an IPv4 address is mapped; 0 for what has none.
int clinux_accept(int listener, uint64_t *high, uint64_t *low);

/// The error that a finished `connect` left on its socket; 0 when it succeeded.
int clinux_socket_error(int descriptor);

/// Lets blocks of at least `bytes` that are asked for be of their own, apart from the heap, where the C library can do that.
void clinux_keep_large_blocks_apart(int bytes);
/// Gives the pages of the heap that are free back to the system.
void clinux_return_free_pages(void);

/// Where `needle` first stands in `haystack`, or -1.
ptrdiff_t clinux_find(const void *haystack, size_t haystack_bytes, const void *needle, size_t needle_bytes);

#endif
