// SPDX-License-Identifier: MIT
/*
 * slices.hpp - times of many equal parts of one run.
 *
 * A run that lasts longer than a time slice of the scheduler is disturbed somewhere. Its parts are not all of them: a
 * quantile of them says what an undisturbed run would have cost.
 */
#ifndef EXO_BENCH_GROWTH_SLICES_HPP
#define EXO_BENCH_GROWTH_SLICES_HPP

#include "../clock.hpp"

#include <algorithm>
#include <vector>

namespace bench {

class Slices {
  public:
    /* `every`: items a slice, a power of two. */
    Slices(std::uint64_t every, std::uint64_t items) : mask_(every - 1)
    {
        at_.reserve(items / every + 2);
        for (std::size_t i = 0; i < at_.capacity(); i++)
            at_.push_back(0); /* touched before the clock starts */
        at_.clear();
    }
    void start()
    {
        at_.push_back(ticks());
    }
    /* After item number `seq`, counted from 0. */
    void note(std::uint64_t seq)
    {
        if (((seq + 1) & mask_) == 0)
            at_.push_back(ticks());
    }
    /* Nanoseconds per item: the quantile q of the slices that lie wholly between two items. */
    double cost(double q, std::uint64_t from = 0, std::uint64_t to = ~std::uint64_t{0}) const
    {
        std::vector<double> costs;
        for (std::size_t i = from / (mask_ + 1); i + 1 < at_.size() && i < to / (mask_ + 1); i++)
            costs.push_back(ns_per_item(at_[i], at_[i + 1], mask_ + 1));
        if (costs.empty())
            return 0;
        std::sort(costs.begin(), costs.end());
        return costs[static_cast<std::size_t>(q * static_cast<double>(costs.size() - 1))];
    }

  private:
    std::uint64_t mask_;
    std::vector<std::uint64_t> at_;
};

/* Where one thread does it all, whatever disturbs adds: the cheap slices are the true ones. Between threads a
 * slice may also be cheap because the other side had run ahead: the middle one counts. */
constexpr double alone_quantile = 0.1, across_quantile = 0.5;

} // namespace bench

#endif
