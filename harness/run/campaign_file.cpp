// Reading a campaign's TOML: types, limits and unknown keys are errors with file, line and column.

#include <functional>
#include <map>
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

const std::set<std::string_view> kCampaignKeys{"name", "compare", "jobs", "run"};
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
                                          "expect_price",
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

// A key of a fault's table as text: "500ms", 100, 0.5.
Result<std::string> take_value(const fs::path& path, std::string_view key, const toml::node& node) {
  std::string text;
  if (const auto whole = node.value_exact<std::int64_t>()) {
    text = fmt::format("{}", *whole);
  } else if (const auto number = node.value_exact<double>()) {
    text = fmt::format("{}", *number);
  } else if (const auto word = node.value_exact<std::string>()) {
    text = *word;
  } else {
    return wrong(path, node, fmt::format("'{}' must be a text or a number", key));
  }
  // It must not end its place in the item, which is parsed like any other.
  if (text.find_first_of(",;@") == std::string::npos) return text;
  return wrong(path, node, fmt::format("'{}' has a ',', ';' or '@' in it", key));
}

// One [[run.faults]] as an item of --faults.
Result<std::string> take_fault(const fs::path& path, const toml::table& table) {
  std::map<std::string, std::string, std::less<>> values;
  for (const auto& [key, node] : table) {
    auto value = take_value(path, key.str(), node);
    SUNDER_TRY(value);
    values.emplace(key.str(), std::move(*value));
  }
  const auto extract = [&values](std::string_view key) {
    const auto found = values.find(key);
    if (found == values.end()) return std::string();
    std::string value = std::move(found->second);
    values.erase(found);
    return value;
  };
  std::string item = extract("family");
  if (item.empty()) return wrong(path, table, "a fault needs family = \"…\"");
  const std::string shape = extract("shape");
  const std::string at = extract("at");
  const std::string duration = extract("duration");
  if (!shape.empty()) item += ":" + shape;
  if (at.empty() && !duration.empty()) return wrong(path, table, "a duration needs at = \"…\"");
  if (!at.empty()) item += "@" + at;
  if (!duration.empty()) item += "+" + duration;
  for (const auto& [name, value] : values) item += fmt::format(";{}={}", name, value);
  return item;
}

// A text as --faults takes it, or tables.
Result<std::string> take_faults(const fs::path& path, const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  const toml::array* const array = node.as_array();
  if (array == nullptr) return wrong(path, node, "'faults' has the wrong type");
  std::string faults;
  for (const toml::node& entry : *array) {
    if (!entry.is_table()) return wrong(path, entry, "expected [[run.faults]]");
    auto item = take_fault(path, *entry.as_table());
    SUNDER_TRY(item);
    faults += (faults.empty() ? "" : ",") + *item;
  }
  return faults.empty() ? "none" : faults;
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
  if (const toml::node* node = table.get("faults")) {
    auto faults = take_faults(path, *node);
    SUNDER_TRY(faults);
    options.faults = std::move(*faults);
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
  SUNDER_TRY(take(path, table, "expect_price", run.expect_price));
  if (run.expect_broken && !run.expect_price.empty())
    return wrong(path, *table.get("expect_price"), "expect_price goes with expect = \"kept\"");
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
  SUNDER_TRY(take(path, parsed, "compare", campaign.compare));
  SUNDER_TRY(take_size(path, parsed, "jobs", campaign.jobs));
  if (campaign.jobs < 1 || campaign.jobs > kJobsMax)
    return wrong(path, *parsed.get("jobs"), fmt::format("jobs is 1 to {}", kJobsMax));
  const toml::array* runs = parsed["run"].as_array();
  if (runs == nullptr || runs->empty()) {
    return base::make_error(Errc::unreadable_input,
                            fmt::format("{}: no [[run]] in it", path.string()));
  }
  for (const auto& [key, node] : parsed) {
    if (!kCampaignKeys.contains(key.str())) {
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
      const bool lacking = resolved.has_error() && base::is(resolved.error(), Errc::unsupported);
      if (resolved.has_error() && !lacking) return wrong(path, node, resolved.error().message());
      run->skipped = lacking ? resolved.error().message() : "";
      campaign.runs.push_back(*run);
    }
  }
  return campaign;
}

}  // namespace sunder::run
