// How the states that several faults want of a link, or of all links, become one.

#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/cluster.hpp"

namespace sunder::cluster {

Result<void> Cluster::place_beside(std::size_t /*spare*/, std::size_t /*node*/) {
  return base::make_error(Errc::unsupported, "this cluster has no spare nodes");
}

Result<boost::asio::ip::tcp::socket> Cluster::operator_socket() {
  return base::make_error(Errc::unsupported, "this cluster has no operator");
}

namespace {

double either(double a, double b) noexcept {
  // In this form a zero leaves the other exactly as it is.
  return std::min(a + b - a * b, 1.0);
}

std::uint64_t lowest_rate(std::uint64_t a, std::uint64_t b) noexcept {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

bool same_table(const netlink::DelayTable& a, const netlink::DelayTable& b) noexcept {
  return a == b || (a && b && *a == *b);
}

// Of two tables the greater one, entry by entry: any choice that does not depend on the order.
const netlink::DelayTable& greater_table(const netlink::DelayTable& a,
                                         const netlink::DelayTable& b) noexcept {
  if (!a) return b;
  return b && *a < *b ? b : a;
}

// As it follows a jitter, in the order of the enumerators.
constexpr std::array<std::string_view, 5> kDistributionWords{
    "", " normal", " paretonormal", " pareto", " by table"};

std::string percent(double share) {
  return fmt::format("{:.4g}%", share * 100);
}

std::string rate_text(std::uint64_t bits) {
  const auto rate = static_cast<double>(bits);
  if (rate < 1e3) return fmt::format("{} bit/s", bits);
  if (rate < 1e6) return fmt::format("{:.4g} kbit/s", rate / 1e3);
  if (rate < 1e9) return fmt::format("{:.4g} Mbit/s", rate / 1e6);
  return fmt::format("{:.4g} Gbit/s", rate / 1e9);
}

}  // namespace

bool LinkState::healthy() const noexcept {
  // Reordering is nothing where nothing waits.
  return !blackhole && delay.count() == 0 && jitter.count() == 0 && loss == 0 && duplicate == 0 &&
         corrupt == 0 && rate == 0;
}

bool operator==(const LinkState& a, const LinkState& b) noexcept {
  const auto numbers = [](const LinkState& s) {
    return std::tie(s.blackhole,
                    s.delay,
                    s.jitter,
                    s.distribution,
                    s.overtaking,
                    s.loss,
                    s.loss_burst,
                    s.duplicate,
                    s.reorder,
                    s.corrupt,
                    s.rate,
                    s.seed);
  };
  return numbers(a) == numbers(b) && same_table(a.table, b.table);
}

LinkState normalized(LinkState state) noexcept {
  if (state.jitter.count() == 0) {
    state.distribution = Distribution::uniform;
    state.overtaking = false;
  }
  if (state.distribution != Distribution::table) state.table = nullptr;
  if (state.loss == 0 || state.loss_burst <= 1) state.loss_burst = 0;
  const bool chance = state.jitter.count() > 0 || state.loss > 0 || state.duplicate > 0 ||
                      state.reorder > 0 || state.corrupt > 0;
  if (!chance) state.seed = 0;
  return state;
}

LinkState fold(const LinkState& first, const LinkState& second) noexcept {
  const LinkState a = normalized(first);
  const LinkState b = normalized(second);
  LinkState both;
  both.blackhole = a.blackhole || b.blackhole;
  both.delay = a.delay + b.delay;
  both.jitter = a.jitter + b.jitter;
  both.distribution = std::max(a.distribution, b.distribution);
  both.table = greater_table(a.table, b.table);
  both.overtaking = a.overtaking || b.overtaking;
  both.loss = either(a.loss, b.loss);
  both.loss_burst = std::max(a.loss_burst, b.loss_burst);
  both.duplicate = either(a.duplicate, b.duplicate);
  both.reorder = either(a.reorder, b.reorder);
  both.corrupt = either(a.corrupt, b.corrupt);
  both.rate = lowest_rate(a.rate, b.rate);
  both.seed = a.seed ^ b.seed;
  return both;
}

LinkMatrix fold(const LinkMatrix& a, const LinkMatrix& b) {
  SUNDER_ASSERT(a.endpoints() == b.endpoints());
  LinkMatrix result(a.endpoints());
  for (std::size_t from = 0; from < a.endpoints(); ++from) {
    for (std::size_t to = 0; to < a.endpoints(); ++to) {
      const auto source = static_cast<Endpoint>(from);
      const auto target = static_cast<Endpoint>(to);
      result.at(source, target) = fold(a.at(source, target), b.at(source, target));
    }
  }
  return result;
}

Result<netlink::DelayTable> load_delay_table(const std::filesystem::path& file) {
  const auto text = base::read_file(file);
  if (text.has_error()) return text.error();
  auto table = netlink::parse_delay_table(*text);
  if (table.has_error()) return with_context(table.error(), file.string());
  return table;
}

// Of a cluster without a network.
Result<LinkProbe> Cluster::probe(Endpoint, Endpoint, std::size_t) const {
  return base::make_error(Errc::unsupported, "probe a link");
}

std::string describe(const LinkState& state) {
  if (state.blackhole) return "cut";
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (state.delay.count() > 0 || state.jitter.count() > 0) {
    std::string delay = "delay " + base::format_duration(state.delay);
    if (state.jitter.count() > 0) {
      const std::string_view shape =
          kDistributionWords.at(static_cast<std::size_t>(state.distribution));
      delay += fmt::format(" ± {}{}", base::format_duration(state.jitter), shape);
      if (state.overtaking) delay += " with overtaking";
    }
    add(delay);
  }
  if (state.loss > 0) {
    std::string loss = "loss " + percent(state.loss);
    if (state.loss_burst > 1) loss += fmt::format(" in bursts of {:.3g}", state.loss_burst);
    add(loss);
  }
  if (state.duplicate > 0) add("duplicate " + percent(state.duplicate));
  if (state.reorder > 0 && state.delay.count() > 0) add("reorder " + percent(state.reorder));
  if (state.corrupt > 0) add("corrupt " + percent(state.corrupt));
  if (state.rate > 0) add("rate " + rate_text(state.rate));
  return text.empty() ? "healthy" : text;
}

}  // namespace sunder::cluster
