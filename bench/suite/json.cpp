// SPDX-License-Identifier: MIT
/*
 * json.cpp - see json.hpp. Times are in nanoseconds; "ns_per_tick" turns them into ticks of the
 * time-stamp counter. Values are one per round (0: none,
 * negative: the slice lost its CPU); the quotients are the reader's.
 */
#include "json.hpp"

#include <fstream>
#include <sys/utsname.h>

#ifndef EXO_BENCH_FLAGS
#define EXO_BENCH_FLAGS "unknown"
#endif

namespace bench::suite {

static std::string quoted(const std::string &text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + "\"";
}

static std::string cpu_model()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("model name", 0) == 0)
            return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

static const char *compiler()
{
#ifdef __clang__
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}

static bool under_hypervisor()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("flags", 0) == 0)
            return line.find(" hypervisor") != std::string::npos;
    }
    return false;
}

void write_head(std::FILE *out, bool quick)
{
    struct utsname system = {};
    uname(&system);
    std::fprintf(out, "{\"format\": 1, \"quick\": %s,\n\"machine\": {\"cpu\": %s, \"cpus\": %zu,\n",
                 quick ? "true" : "false", quoted(cpu_model()).c_str(), usable_cpus().size());
    std::fprintf(out, " \"placement\": %s, \"kernel\": %s, \"compiler\": %s, \"flags\": %s,\n",
                 quoted(placement_text()).c_str(),
                 quoted(std::string(system.sysname) + " " + system.release).c_str(),
                 quoted(compiler()).c_str(), quoted(EXO_BENCH_FLAGS).c_str());
    std::fprintf(out, " \"virtual\": %s, \"ns_per_tick\": %.6f},\n\"sections\": [",
                 under_hypervisor() ? "true" : "false", ns_per_tick());
}

static void write_tail_figures(std::FILE *out, const char *name, const Histogram *trips)
{
    if (trips == nullptr)
        return;
    const double ns = ns_per_tick();
    std::fprintf(out, ", \"%s\": {\"count\": %llu", name,
                 static_cast<unsigned long long>(trips->total));
    const struct {
        const char *name;
        double q;
    } points[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
    for (const auto &point : points)
        std::fprintf(out, ", \"%s\": %.1f", point.name, trips->quantile(point.q) * ns);
    std::fprintf(out, ", \"max\": %.1f}", static_cast<double>(trips->largest) * ns);
}

static void write_slice(std::FILE *out, const Slice &slice, const SliceLog &log)
{
    std::fprintf(out, "    {\"series\": %s, \"role\": \"%s\", \"fate\": \"%s\", \"reason\": %s",
                 quoted(slice.series).c_str(), slice.role, fate_text(log.fate),
                 quoted(log.reason).c_str());
    std::fprintf(out, ", \"preempted\": %u", log.preempted);
    write_tail_figures(out, "near", log.near.get());
    write_tail_figures(out, "far", log.far.get());
    write_tail_figures(out, "disturbed", log.disturbed.get());
    std::fprintf(out, "}");
}

static void write_marks(std::FILE *out, const char *name, const Marks &marks)
{
    std::fprintf(out, "\"%s\": {\"line\": %.2f, \"chunk\": %.3f, \"rmw\": %.3f, \"futex\": %.1f}",
                 name, marks.gates.line, marks.gates.chunk, marks.gates.rmw, marks.futex);
}

static void write_round(std::FILE *out, const Round &round)
{
    std::fprintf(out, "    {\"kept\": %s, \"near\": %s, ", round.kept ? "true" : "false",
                 is_near(round.before.gates) ? "true" : "false");
    write_marks(out, "before", round.before);
    std::fprintf(out, ", ");
    write_marks(out, "after", round.after);
    std::fprintf(out, ", \"values\": [");
    for (std::size_t i = 0; i < round.value.size(); i++)
        std::fprintf(out, "%s%.3f", i == 0 ? "" : ", ", round.value[i]);
    std::fprintf(out, "]}");
}

static void write_group(std::FILE *out, const Group &group, const GroupLog &log)
{
    std::fprintf(out, "  {\"name\": %s, \"x\": %.0f, \"kept\": %zu,\n   \"slices\": [",
                 quoted(group.name).c_str(), group.x, log.kept);
    for (std::size_t i = 0; i < group.slices.size(); i++) {
        std::fprintf(out, "%s\n", i == 0 ? "" : ",");
        write_slice(out, group.slices[i], log.slice[i]);
    }
    std::fprintf(out, "],\n   \"rounds\": [");
    for (std::size_t i = 0; i < log.rounds.size(); i++) {
        std::fprintf(out, "%s\n", i == 0 ? "" : ",");
        write_round(out, log.rounds[i]);
    }
    std::fprintf(out, "]}");
}

void write_section(std::FILE *out, const Section &section, const std::vector<GroupLog> &logs,
                   bool first)
{
    std::fprintf(out, "%s\n {\"name\": %s, \"unit\": \"%s\", \"kind\": \"%s\", \"groups\": [",
                 first ? "" : ",", quoted(section.name).c_str(), section.unit, section.kind);
    for (std::size_t i = 0; i < section.groups.size(); i++) {
        std::fprintf(out, "%s\n", i == 0 ? "" : ",");
        write_group(out, section.groups[i], logs[i]);
    }
    std::fprintf(out, "]}");
    std::fflush(out);
}

void write_tail(std::FILE *out, double seconds)
{
    std::fprintf(out, "\n],\n\"seconds\": %.0f}\n", seconds);
}

} // namespace bench::suite
