/*
 * Gives every fsync and fdatasync the same price, for all servers under test: LD_PRELOAD this on a file system whose own
 * sync costs nothing (tmpfs), and SAMEN_SYNC_US microseconds of sleep are all that a sync costs. No product code.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static long price(void) {
    static long us = -1;
    if (us < 0) {
        const char *given = getenv("SAMEN_SYNC_US");
        us = given ? atol(given) : 0;
    }
    return us;
}

static void wait_for_the_disk(void) {
    int kept = errno;
    long us = price();
    struct timespec left = {us / 1000000, (us % 1000000) * 1000};
    while (us > 0 && nanosleep(&left, &left) == -1 && errno == EINTR) {
    }
    errno = kept;
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_for_the_disk();
    return real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_for_the_disk();
    return real(fd);
}
