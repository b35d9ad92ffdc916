#include "checkers/delivery/figures.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/delivery/population.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers::delivery {

using history::kNever;
using history::Outcome;

namespace {

constexpr const char* kSection = "Delivery";
constexpr std::size_t kWorstShown = 10;
constexpr std::size_t kDeliveriesShown = 12;

double seconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

Figure figure_of(std::string title, std::string note) {
  Figure figure;
  figure.section = kSection;
  figure.title = std::move(title);
  figure.note = std::move(note);
  return figure;
}

// From its sending to its acknowledgement; none while either is not known.
std::int64_t age_of(const Lives& lives, const Life& life) {
  const std::int64_t gone = first_sure_ack(lives, life);
  return life.send && gone != kNever ? gone - lives.begin(*life.send) : -1;
}

std::size_t deliveries_of(const Life& life) {
  return life.live.deliveries.size() + life.dead.deliveries.size();
}

}  // namespace

Figure fates_figure(const Lives& lives) {
  std::size_t at_first = 0;
  std::size_t later = 0;
  std::size_t dead = 0;
  std::size_t doubtful = 0;
  std::size_t never_sent = 0;
  std::size_t remaining = 0;
  for (const Life& life : lives.all()) {
    const bool sure = first_sure_ack(lives, life) != kNever;
    if (sure) {
      const std::size_t deliveries = life.live.deliveries.size();
      ++(!life.dead.deliveries.empty() ? dead : deliveries > 1 ? later : at_first);
    } else if (first_possible_ack(lives, life) != kNever) {
      ++doubtful;
    } else if (life.send && lives.at(*life.send).outcome == Outcome::info && !life.delivered()) {
      ++never_sent;
    } else {
      ++remaining;
    }
  }
  Bars bars;
  bars.unit = "messages";
  const auto add = [&bars](std::string label, std::size_t count, Mark mark) {
    bars.bars.push_back({std::move(label), static_cast<double>(count), mark});
  };
  add("done at the first delivery", at_first, Mark::good);
  add("done at a later delivery", later, Mark::good);
  add("dead letter, taken away", dead, Mark::neutral);
  add("acknowledgement not answered", doubtful, Mark::doubtful);
  add("sending not answered, never seen", never_sent, Mark::doubtful);
  add("never acknowledged", remaining, remaining > 0 ? Mark::bad : Mark::neutral);
  add("refused: the queue was full", lives.refused_sends().size(), Mark::neutral);
  Figure figure = figure_of("What became of the messages", "");
  figure.body = std::move(bars);
  return figure;
}

Figure waiting_figure(const Lives& lives) {
  static constexpr std::array<const char*, 3> kNames{"ready", "in flight", "dead letters"};
  Lines lines;
  lines.across = "seconds since the start";
  lines.run_time = true;
  lines.up = "messages";
  for (const char* name : kNames) lines.series.push_back({name, {}, Mark::neutral});
  const auto& stats = lives.stats();
  const std::size_t step = stats.size() / kFigureItemsMax + 1;
  for (std::size_t i = 0; i < stats.size(); i += step) {
    const auto counts = lives.history().pool().items_of(lives.at(stats[i]).output);
    for (std::size_t k = 0; k < std::min(counts.size(), kNames.size()); ++k) {
      lines.series[k].points.emplace_back(seconds(lives.begin(stats[i])),
                                          static_cast<double>(counts[k].raw()));
    }
  }
  for (auto& series : lines.series) std::ranges::sort(series.points);
  Figure figure = figure_of("Consumer lag: messages waiting, as the queue counted them",
                            "Ready: nobody works on them.");
  figure.body = std::move(lines);
  return figure;
}

Figure redelivery_figure(const Lives& lives) {
  std::array<std::size_t, kDeliveriesShown + 1> counts{};
  for (const Life& life : lives.all()) {
    if (life.delivered()) ++counts[std::min(deliveries_of(life), kDeliveriesShown)];
  }
  Bars bars;
  bars.unit = "messages";
  for (std::size_t times = 1; times <= kDeliveriesShown; ++times) {
    const bool more = times == kDeliveriesShown;
    if (counts[times] == 0 && times > 6) continue;
    bars.bars.push_back({fmt::format("{}{}", times, more ? " or more" : ""),
                         static_cast<double>(counts[times]),
                         times == 1 ? Mark::good : Mark::neutral});
  }
  Figure figure =
      figure_of("How often messages were delivered", "Deliveries as a dead letter included.");
  figure.body = std::move(bars);
  return figure;
}

Figure worst_figure(const Lives& lives) {
  std::vector<const Life*> worst;
  for (const Life& life : lives.all()) {
    if (life.delivered()) worst.push_back(&life);
  }
  const auto rank = [&](const Life* life) {
    const std::int64_t age = age_of(lives, *life);
    return std::pair(age < 0 ? kNever : age, deliveries_of(*life));
  };
  const auto shown = static_cast<std::ptrdiff_t>(std::min(kWorstShown, worst.size()));
  std::ranges::partial_sort(worst, worst.begin() + shown, [&](const Life* a, const Life* b) {
    return rank(a) > rank(b) || (rank(a) == rank(b) && a->number < b->number);
  });
  Table table;
  table.header = {"message", "body", "deliveries", "as a dead letter", "sent", "done after"};
  for (std::ptrdiff_t i = 0; i < shown; ++i) {
    const Life& life = *worst[static_cast<std::size_t>(i)];
    const std::int64_t age = age_of(lives, life);
    table.rows.push_back({fmt::format("{}", life.number),
                          lives.history().pool().describe(lives.sent_body(life)),
                          fmt::format("{}", life.live.deliveries.size()),
                          fmt::format("{}", life.dead.deliveries.size()),
                          life.send && lives.timed() ? seconds_text(lives.begin(*life.send)) : "?",
                          age < 0 ? "never, as far as is known" : seconds_text(age)});
  }
  Figure figure = figure_of("Messages that took longest", "");
  figure.body = std::move(table);
  return figure;
}

}  // namespace sunder::checkers::delivery
