// SPDX-License-Identifier: MIT
/*
 * sandbox.cpp - the children, their time limit and their end (see sandbox.hpp).
 */
#include "sandbox.hpp"

#include <cstdio>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bench {

constexpr double meeting_ms = 3000;

const char *fate_text(Fate fate)
{
    static const char *const text[] = {"good", "unsound", "hung", "crashed", "unfit"};
    return text[static_cast<int>(fate)];
}

Board &the_board()
{
    static const Shared<Board> board;
    return *board;
}

void Board::meet(std::atomic<unsigned> &counter)
{
    const std::uint64_t give_up_at = ticks() + ticks_of_ms(meeting_ms);
    counter.fetch_add(1);
    while (counter.load() < parties && ticks() < give_up_at)
        sched_yield();
}

static void run_one(Board &board, const PartyOptions &options, unsigned index,
                    const std::function<void(unsigned)> &party)
{
    PartyBoard &mine = board.party[index];
    if (options.pinned)
        pin_to(index);
    try {
        party(index);
    } catch (const std::exception &error) {
        mine.fate = Fate::unfit;
        std::snprintf(mine.reason, sizeof mine.reason, "%s", error.what());
        board.arrived.fetch_add(1);
        board.left.fetch_add(1);
    }
}

static void die_with_parent()
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static void run_processes(Board &board, const PartyOptions &options,
                          const std::function<void(unsigned)> &party)
{
    for (unsigned i = 0; i < options.parties; i++) {
        const pid_t child = fork();
        if (child == 0) {
            die_with_parent();
            run_one(board, options, i, party);
            _exit(0); /* libraries with threads of their own may never end by themselves */
        }
        if (child < 0)
            _exit(1);
    }
    for (unsigned i = 0; i < options.parties; i++) {
        int status = 0;
        if (waitpid(-1, &status, 0) < 0 || status != 0)
            _exit(1); /* whoever waits for the one that crashed dies with this host */
    }
}

void run_parties(Board &board, const PartyOptions &options,
                 const std::function<void(unsigned index)> &party)
{
    board.parties = options.parties;
    if (options.processes) {
        run_processes(board, options, party);
        return;
    }
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < options.parties; i++)
        threads.emplace_back([&, i] { run_one(board, options, i, party); });
    for (std::thread &thread : threads)
        thread.join();
}

/* True if the child ended by itself in time. */
static bool wait_for(pid_t child, double limit_ms)
{
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    if (fd < 0)
        return true; /* an old kernel: waitpid() will wait, without a limit */
    struct pollfd look = {fd, POLLIN, 0};
    const int ready = poll(&look, 1, static_cast<int>(limit_ms));
    close(fd);
    return ready == 1;
}

static void host_in_child(Board &board, const std::function<void(Board &)> &host)
{
    setpgid(0, 0);
    die_with_parent();
    try {
        host(board);
    } catch (const std::exception &error) {
        board.party[0].fate = Fate::unfit;
        std::snprintf(board.party[0].reason, sizeof board.party[0].reason, "%s", error.what());
    }
    _exit(0);
}

Fate run_contained(Board &board, double limit_ms, const std::function<void(Board &)> &host)
{
    (void)ns_per_tick(); /* calibrated here, once, and not by every child */
    std::memset(static_cast<void *>(&board), 0, sizeof board);
    const pid_t child = fork();
    if (child < 0)
        return Fate::crashed;
    if (child == 0)
        host_in_child(board, host);
    setpgid(child, child); /* whichever of the two comes first */
    const bool in_time = wait_for(child, limit_ms);
    if (!in_time)
        kill(-child, SIGKILL);
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        return Fate::crashed;
    if (!in_time)
        return Fate::hung;
    return status == 0 ? Fate::good : Fate::crashed;
}

} // namespace bench
