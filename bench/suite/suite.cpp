// SPDX-License-Identifier: MIT
/*
 * suite.cpp - measures exo_ipc against its peers and writes the results as JSON.
 *
 *     suite [--quick] [--only SECTION]... [--rounds N] [--list] [FILE]
 *
 * FILE is standard output if it is missing. Progress goes to stderr. bench/suite/report makes the
 * report. It ends with 0 whatever it measured, and with 2 when it was called wrongly.
 */
#include "json.hpp"

#include <cstdlib>
#include <signal.h>

using namespace bench::suite;

/* Of all sections together; the report and the build come on top. */
constexpr double full_seconds = 900, quick_seconds = 95;

struct Options {
    bool quick = false, list = false, wrong = false;
    unsigned rounds = 0;
    std::vector<std::string> only;
    const char *file = nullptr;
};

static Options parse(int argc, char **argv)
{
    Options options;
    for (int i = 1; i < argc; i++) {
        const std::string arg = argv[i];
        if (arg == "--quick")
            options.quick = true;
        else if (arg == "--list")
            options.list = true;
        else if (arg == "--only" && i + 1 < argc)
            options.only.push_back(argv[++i]);
        else if (arg == "--rounds" && i + 1 < argc)
            options.rounds = static_cast<unsigned>(std::atoi(argv[++i]));
        else if (arg[0] != '-' && options.file == nullptr)
            options.file = argv[i];
        else
            options.wrong = true;
    }
    options.wrong |= options.rounds > 1000;
    return options;
}

static std::vector<Section> all_sections(const Depth &depth)
{
    std::vector<Section> all = {sweep_section(depth)};
    for (auto *more : {peer_sections, scaling_sections, slow_path_sections, price_sections}) {
        for (Section &section : more(depth))
            all.push_back(std::move(section));
    }
    all.push_back(footprint_section());
    return all;
}

static std::vector<Section> chosen_sections(const Options &options)
{
    std::vector<Section> chosen;
    for (Section &section : all_sections({options.quick})) {
        bool wanted = options.only.empty();
        for (const std::string &name : options.only)
            wanted |= section.name.rfind(name, 0) == 0;
        if (wanted)
            chosen.push_back(std::move(section));
    }
    return chosen;
}

static std::size_t slices_of(const Section &section)
{
    std::size_t count = 0;
    for (const Group &group : section.groups)
        count += group.slices.size();
    return count;
}

static void measure_all(const std::vector<Section> &sections, const Options &options,
                        std::FILE *out)
{
    const std::uint64_t start = bench::monotonic_ns();
    const auto seconds = [&] { return static_cast<double>(bench::monotonic_ns() - start) / 1e9; };
    std::size_t left = 0;
    for (const Section &section : sections)
        left += slices_of(section);
    write_head(out, options.quick);
    for (std::size_t i = 0; i < sections.size(); i++) {
        /* What a section saves is the next ones'. */
        const double remaining = (options.quick ? quick_seconds : full_seconds) - seconds();
        Limits limits;
        limits.rounds = options.rounds != 0 ? options.rounds : options.quick ? 3 : 9;
        if (sections[i].kind == std::string("size"))
            limits.rounds = 1;
        limits.seconds =
            remaining * static_cast<double>(slices_of(sections[i])) / static_cast<double>(left);
        left -= slices_of(sections[i]);
        write_section(out, sections[i], run_section(sections[i], limits), i == 0);
    }
    write_tail(out, seconds());
}

int main(int argc, char **argv)
{
    const Options options = parse(argc, argv);
    if (options.wrong) {
        std::fprintf(stderr,
                     "usage: suite [--quick] [--only SECTION]... [--rounds N] [--list] [FILE]\n");
        return 2;
    }
    const std::vector<Section> sections = chosen_sections(options);
    if (options.list) {
        for (const Section &section : sections)
            std::printf("%-16s %zu groups, %zu slices\n", section.name.c_str(),
                        section.groups.size(), slices_of(section));
        return 0;
    }
    if (bench::usable_cpus().size() < 2) {
        std::fprintf(stderr, "suite: needs two CPUs\n");
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    std::FILE *out = options.file != nullptr ? std::fopen(options.file, "w") : stdout;
    if (out == nullptr) {
        std::perror(options.file);
        return 1;
    }
    measure_all(sections, options, out);
    return std::fclose(out) == 0 ? 0 : 1;
}
