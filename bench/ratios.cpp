// SPDX-License-Identifier: MIT
/*
 * ratios.cpp - prints how far each path of exo_ipc is from what the machine allows and from the
 * peers.
 *
 *     ratios [--rounds N] [--only NAME]... [--list]
 *
 * NAME is a row or the beginning of one. The program informs: it ends with 0 whatever it measured,
 * and with 2 only when it was called wrongly. Rows are in rows.cpp, measurements in groups/, the
 * method in rounds.cpp.
 */
#include "report.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace bench;

struct Options {
    unsigned rounds = 11;
    bool list = false;
    bool wrong = false;
    std::vector<std::string> only;
};

static Options parse(int argc, char **argv)
{
    Options options;
    for (int i = 1; i < argc && !options.wrong; i++) {
        const std::string arg = argv[i];
        if (arg == "--list") {
            options.list = true;
        } else if (arg == "--rounds" && i + 1 < argc) {
            const int n = std::atoi(argv[++i]);
            options.rounds = static_cast<unsigned>(n);
            options.wrong = n < 1 || n > 10000;
        } else if (arg == "--only" && i + 1 < argc) {
            options.only.push_back(argv[++i]);
        } else {
            options.wrong = true;
        }
    }
    return options;
}

static bool selected(const Options &options, const Row &row)
{
    for (const std::string &name : options.only) {
        if (std::strncmp(row.name, name.c_str(), name.size()) == 0)
            return true;
    }
    return options.only.empty();
}

static void list_rows()
{
    for (const Row &row : rows())
        std::printf("%-24s goal %g %s\n", row.name, row.goal, row.unit);
}

static unsigned run_rows_of(const Group &group, const Options &options)
{
    std::vector<const Row *> wanted;
    for (const Row &row : rows()) {
        if (group.name == row.group && selected(options, row))
            wanted.push_back(&row);
    }
    if (wanted.empty())
        return 0;
    const Log log = run_group(group, options.rounds);
    print_slices(group, log);
    for (const Row *row : wanted)
        print_row(*row, group, log);
    std::fflush(stdout);
    return static_cast<unsigned>(wanted.size());
}

int main(int argc, char **argv)
{
    const Options options = parse(argc, argv);
    if (options.wrong) {
        std::fprintf(stderr, "usage: ratios [--rounds N] [--only NAME]... [--list]\n");
        return 2;
    }
    if (options.list) {
        list_rows();
        return 0;
    }
    print_header();
    unsigned printed = 0;
    for (const Group &group : groups())
        printed += run_rows_of(group, options);
    if (printed == 0)
        std::printf("# skipped %s no row has such a name; see --list\n", options.only[0].c_str());
    return 0;
}
