#define _GNU_SOURCE
#include "clinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t tag) {
  struct epoll_event event = {.events = events, .data.u64 = tag};
  return epoll_ctl(epoll, operation, descriptor, &event);
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, events, tag);
}

int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, events, tag);
}

int clinux_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns) {
  struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  int count = epoll_pwait2(epoll, events, capacity, timeout_ns < 0 ? NULL : &timeout, NULL);
  if (count < 0 && (errno == ENOSYS || errno == EPERM)) {  // Linux before 5.11, or forbidden: whole milliseconds
    int64_t milliseconds = (timeout_ns + 999999) / 1000000;
    count = epoll_wait(epoll, events, capacity, timeout_ns < 0 ? -1 : milliseconds > 60000 ? 60000 : (int)milliseconds);
  }
  return count < 0 && errno == EINTR ? 0 : count;
}

int clinux_eventfd_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int clinux_eventfd_signal(int descriptor) { return eventfd_write(descriptor, 1); }

int clinux_eventfd_clear(int descriptor) {
  eventfd_t count;
  return eventfd_read(descriptor, &count);
}

static int failed(int descriptor) {
  int reason = errno;
  close(descriptor);
  errno = reason;
  return -1;
}

int clinux_listen(const char *host, uint16_t port, int backlog, int reuse_port, int *lookup_error) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
  char service[6];
  snprintf(service, sizeof service, "%u", port);
  *lookup_error = getaddrinfo(host, service, &hints, &found);
  if (*lookup_error) return -1;
  int one = 1, descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor >= 0 &&
      (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
       (reuse_port && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one)) ||
       bind(descriptor, found->ai_addr, found->ai_addrlen) || listen(descriptor, backlog)))
    descriptor = failed(descriptor);
  freeaddrinfo(found);
  return descriptor;
}

int clinux_watch_peers(int socket, int idle, int interval, int count) {
  int one = 1, timeout_ms = (idle + interval * count) * 1000;
  return setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) ||
                 setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) ||
                 setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) ||
                 setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) ||
                 setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) ||
                 setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms)
             ? -1
             : 0;
}

int clinux_drop_new(int listener) {
  // A packet begins with its TCP header here; its byte 13 has the flags SYN (2) and ACK (16).
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 2 | 16),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  };
  struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
  return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

int clinux_is_listening(int descriptor) {
  int type = 0, listens = 0;
  socklen_t size = sizeof type;
  return !getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM &&
         !getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && listens;
}

int clinux_local_port(int descriptor) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  if (getsockname(descriptor, (struct sockaddr *)&address, &size)) return -1;
  if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
  return address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port) : 0;
}

int clinux_local_address(int descriptor, char *text, size_t capacity) {
  struct sockaddr_storage address = {0};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, (struct sockaddr *)&address, &size)) return -1;
  if (address.ss_family == AF_UNIX) {
    const char *path = ((struct sockaddr_un *)&address)->sun_path;
    snprintf(text, capacity, "%s%.*s", *path ? "" : "@", (int)sizeof(address) - 3, *path ? path : path + 1);
    return 0;
  }
  const void *host = address.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&address)->sin_addr
                                                  : (void *)&((struct sockaddr_in6 *)&address)->sin6_addr;
  return inet_ntop(address.ss_family, host, text, (socklen_t)capacity) ? 0 : -1;
}

int clinux_accept(int listener, uint64_t *high, uint64_t *low) {
  struct sockaddr_storage address = {0};
  socklen_t size = sizeof address;
  *high = *low = 0;
  int descriptor = accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return -1;
  if (address.ss_family == AF_INET) {
    *low = 0xffff00000000 | ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr);
  } else if (address.ss_family == AF_INET6) {
    const uint8_t *bytes = ((struct sockaddr_in6 *)&address)->sin6_addr.s6_addr;
    for (int index = 0; index < 8; index++) {
      *high = *high << 8 | bytes[index];
      *low = *low << 8 | bytes[index + 8];
    }
  }
  return descriptor;
}

int clinux_connect_ipv4(uint32_t source, uint32_t address, uint16_t port) {
  int one = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  int fails = setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!fails && source) {
    fails = setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) ||
            bind(descriptor, (struct sockaddr *)&from, sizeof from);
  }
  if (!fails) fails = connect(descriptor, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS;
  return fails ? failed(descriptor) : descriptor;
}

int clinux_socket_error(int descriptor) {
  int reason = 0;
  socklen_t size = sizeof reason;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &size) ? errno : reason;
}

void clinux_keep_large_blocks_apart(int bytes) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, bytes);
#else
  (void)bytes;
#endif
}

void clinux_return_free_pages(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

ptrdiff_t clinux_find(const void *haystack, size_t haystack_bytes, const void *needle, size_t needle_bytes) {
  const char *found = memmem(haystack, haystack_bytes, needle, needle_bytes);
  return found ? found - (const char *)haystack : -1;
}
