// Reading a campaign's TOML: types, limits and unknown keys are errors with file, line and column.

#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/run/campaign.hpp"

namespace sunder::run {
namespace {

namespace fs = std::filesystem;

Error wrong(const fs::path& path, const toml::node& node, std::string_view what) {
  return base::make_error(Errc::unreadable_input,
                          fmt::format("{}:{}:{}: {}",
                                      path.string(),
                                      node.source().begin.line,
                                      node.source().begin.column,
                                      what));
}

Result<toml::table> parse(const fs::path& path) {
  const auto text = base::read_file(path);
  if (text.has_error()) return base::make_error(Errc::unreadable_input, text.error().message());
  try {
    return toml::parse(*text, path.string());
  } catch (const toml::parse_error& caught) {
    const toml::source_position at = caught.source().begin;
    return base::make_error(
        Errc::unreadable_input,
        fmt::format("{}:{}:{}: {}", path.string(), at.line, at.column, caught.description()));
  }
}

const std::set<std::string_view> kRunKeys{"title",
                                          "scenario",
                                          "seed",
                                          "seeds",
                                          "duration",
                                          "faults",
                                          "nodes",
                                          "clients",
                                          "keys",
                                          "rate",
                                          "mix",
                                          "sabotage",
                                          "expect",
                                          "expect_promise",
                                          "clients_see_all",
                                          "kernel"};

template <typename T>
Result<void> take(const fs::path& path, const toml::table& table, std::string_view key, T& target) {
  const toml::node* node = table.get(key);
  if (node == nullptr) return {};
  const auto value = node->value<T>();
  if (!value) return wrong(path, *node, fmt::format("'{}' has the wrong type", key));
  target = *value;
  return {};
}

Result<void> take_size(const fs::path& path,
                       const toml::table& table,
                       std::string_view key,
                       std::size_t& target) {
  std::int64_t value = static_cast<std::int64_t>(target);
  SUNDER_TRY(take(path, table, key, value));
  if (value < 0) return wrong(path, *table.get(key), fmt::format("'{}' is negative", key));
  target = static_cast<std::size_t>(value);
  return {};
}

Result<std::vector<std::uint64_t>> take_seeds(const fs::path& path, const toml::table& table) {
  std::vector<std::uint64_t> seeds;
  if (const toml::array* array = table["seeds"].as_array()) {
    for (const toml::node& node : *array) {
      const auto value = node.value<std::int64_t>();
      if (!value || *value < 0) return wrong(path, node, "a seed is a number from 0 up");
      seeds.push_back(static_cast<std::uint64_t>(*value));
    }
  }
  if (const toml::node* node = table.get("seed")) {
    const auto value = node->value<std::int64_t>();
    if (!value || *value < 0) return wrong(path, *node, "a seed is a number from 0 up");
    seeds.push_back(static_cast<std::uint64_t>(*value));
  }
  if (seeds.empty()) return wrong(path, table, "a run needs seed = N or seeds = [N, …]");
  return seeds;
}

Result<CampaignRun> take_run(const fs::path& path, const toml::table& table) {
  for (const auto& [key, node] : table) {
    if (!kRunKeys.contains(key.str()))
      return wrong(path, node, fmt::format("unknown key '{}'", key.str()));
  }
  CampaignRun run;
  RunOptions& options = run.options;
  SUNDER_TRY(take(path, table, "title", run.title));
  SUNDER_TRY(take(path, table, "scenario", options.scenario));
  if (run.title.empty()) run.title = options.scenario;
  SUNDER_TRY(take(path, table, "mix", options.mix));
  SUNDER_TRY(take(path, table, "sabotage", options.sabotage));
  SUNDER_TRY(take(path, table, "kernel", options.kernel));
  SUNDER_TRY(take(path, table, "rate", options.rate));
  SUNDER_TRY(take(path, table, "clients_see_all", options.clients_see_all));
  SUNDER_TRY(take_size(path, table, "clients", options.clients));
  if (table.contains("nodes")) {
    std::size_t nodes = 0;
    SUNDER_TRY(take_size(path, table, "nodes", nodes));
    options.nodes = nodes;
  }
  if (table.contains("keys")) {
    std::size_t keys = 0;
    SUNDER_TRY(take_size(path, table, "keys", keys));
    options.keys = keys;
  }
  if (table.contains("faults")) {
    std::string faults;
    SUNDER_TRY(take(path, table, "faults", faults));
    options.faults = faults;
  }
  if (const toml::node* node = table.get("duration")) {
    std::string duration;
    SUNDER_TRY(take(path, table, "duration", duration));
    const auto parsed = base::parse_duration(duration);
    if (parsed.has_error()) return wrong(path, *node, parsed.error().message());
    options.duration = *parsed;
  }
  std::string expect = "kept";
  SUNDER_TRY(take(path, table, "expect", expect));
  if (expect != "kept" && expect != "broken")
    return wrong(path, *table.get("expect"), "expect is kept or broken");
  run.expect_broken = expect == "broken";
  SUNDER_TRY(take(path, table, "expect_promise", run.expect_promise));
  return run;
}

}  // namespace

Result<Campaign> read_campaign(const fs::path& path, std::string_view kernel) {
  auto document = parse(path);
  SUNDER_TRY(document);
  const toml::table& parsed = *document;
  Campaign campaign;
  campaign.name = path.stem().string();
  SUNDER_TRY(take(path, parsed, "name", campaign.name));
  const toml::array* runs = parsed["run"].as_array();
  if (runs == nullptr || runs->empty()) {
    return base::make_error(Errc::unreadable_input,
                            fmt::format("{}: no [[run]] in it", path.string()));
  }
  for (const auto& [key, node] : parsed) {
    if (key.str() != "name" && key.str() != "run") {
      return wrong(path, node, fmt::format("unknown key '{}'", key.str()));
    }
  }
  for (const toml::node& node : *runs) {
    if (!node.is_table()) return wrong(path, node, "expected [[run]]");
    auto seeds = take_seeds(path, *node.as_table());
    SUNDER_TRY(seeds);
    auto run = take_run(path, *node.as_table());
    SUNDER_TRY(run);
    for (const std::uint64_t seed : *seeds) {
      run->options.seed = seed;
      if (!kernel.empty()) run->options.kernel = kernel;
      const auto resolved = resolve(run->options);
      if (resolved.has_error()) return wrong(path, node, resolved.error().message());
      campaign.runs.push_back(*run);
    }
  }
  return campaign;
}

}  // namespace sunder::run
