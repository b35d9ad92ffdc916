#include "harness/history/history.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "harness/base/large_pages.hpp"

namespace sunder::history {
namespace {

struct FunctionName {
  std::string_view name;
  Function function;
};

// Sorted by name. The first name of a function in canonical_name() is what we write; the others are
// read.
constexpr std::array kFunctionNames{
    FunctionName{"acquire", Function::acquire},
    FunctionName{"add", Function::add},
    FunctionName{"append", Function::append},
    FunctionName{"cas", Function::cas},
    FunctionName{"contains", Function::contains},
    FunctionName{"deq", Function::dequeue},
    FunctionName{"dequeue", Function::dequeue},
    FunctionName{"drain", Function::drain},
    FunctionName{"enq", Function::enqueue},
    FunctionName{"enqueue", Function::enqueue},
    FunctionName{"fetch-add", Function::fetch_add},
    FunctionName{"get", Function::read},
    FunctionName{"increment", Function::increment},
    FunctionName{"insert", Function::insert},
    FunctionName{"peek", Function::peek},
    FunctionName{"poll", Function::poll},
    FunctionName{"pop", Function::pop},
    FunctionName{"push", Function::push},
    FunctionName{"put", Function::write},
    FunctionName{"read", Function::read},
    FunctionName{"release", Function::release},
    FunctionName{"remove", Function::remove},
    FunctionName{"transfer", Function::transfer},
    FunctionName{"txn", Function::txn},
    FunctionName{"write", Function::write},
};

constexpr std::array kCanonicalNames{
    "other",     "read",    "write",   "cas",  "append",   "add",    "remove", "contains",
    "enqueue",   "dequeue", "peek",    "push", "pop",      "insert", "poll",   "increment",
    "fetch-add", "acquire", "release", "txn",  "transfer", "drain",
};

// Processes with numbers below that have a place of their own, the others a hash table.
constexpr std::size_t kFewMax = std::size_t{1} << 21;

bool is_one_of_few(std::int64_t process) noexcept {
  return process >= 0 && static_cast<std::size_t>(process) < kFewMax;
}

}  // namespace

Function function_of(std::string_view name) noexcept {
  const auto found = std::ranges::lower_bound(kFunctionNames, name, {}, &FunctionName::name);
  const bool known = found != kFunctionNames.end() && found->name == name;
  return known ? found->function : Function::other;
}

std::string_view name_of(Function function) noexcept {
  return kCanonicalNames.at(static_cast<std::size_t>(function));
}

std::string_view name_of(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, 3> names{"ok", "fail", "info"};
  return names.at(static_cast<std::size_t>(outcome));
}

std::string History::describe(const Operation& operation) const {
  const auto brief = [this](Value value) {
    constexpr std::size_t kItemsShown = 30;  // a read of a set may hold all there ever was
    if (!value.is_list() || pool_.items_of(value).size() <= kItemsShown) {
      return pool_.describe(value);
    }
    std::string text = "[";
    for (const Value item : pool_.items_of(value).first(kItemsShown)) {
      text += pool_.describe(item) + ' ';
    }
    return text + fmt::format("… {} in all]", pool_.items_of(value).size());
  };
  std::string text(operation.function_name != 0 ? pool_.name(operation.function_name)
                                                : name_of(operation.function));
  if (operation.key != 0) text += fmt::format(" {}", pool_.name(operation.key));
  if (!operation.input.is_none() && !operation.tells_input_as_output()) {
    text += " " + brief(operation.input);
  }
  text += fmt::format(" -> {}", name_of(operation.outcome));
  if (!operation.output.is_none()) text += " " + brief(operation.output);
  if (operation.error != 0) text += fmt::format(" ({})", pool_.name(operation.error));
  return text;
}

std::size_t History::memory() const noexcept {
  return operations_.capacity() * sizeof(Operation) + pool_.memory();
}

std::size_t& HistoryBuilder::flight_of(std::int64_t process) {
  if (!is_one_of_few(process)) return others_in_flight_[process];
  const auto index = static_cast<std::size_t>(process);
  if (index >= few_in_flight_.size()) {
    few_in_flight_.resize(std::clamp<std::size_t>(index * 2, 64, kFewMax));
  }
  return few_in_flight_[index];
}

Function HistoryBuilder::function_of(Symbol name) {
  constexpr std::size_t kRememberedMax = 1 << 12;
  if (name >= kRememberedMax) return history::function_of(pool().name(name));
  if (name >= functions_.size()) functions_.resize(name + 1, -1);
  if (functions_[name] < 0) {
    functions_[name] = static_cast<std::int8_t>(history::function_of(pool().name(name)));
  }
  return static_cast<Function>(functions_[name]);
}

Result<std::size_t> HistoryBuilder::invoke(const Invocation& invocation) {
  const std::size_t index = history_.operations_.size();
  std::size_t& flight = flight_of(invocation.process);
  if (flight != 0) {
    return base::make_error(
        Errc::unreadable_input,
        fmt::format("process {} invokes while it has an operation in flight", invocation.process));
  }
  flight = index + 1;
  Operation& operation = history_.operations_.emplace_back();
  operation.invoke = position_++;
  operation.invoke_time = invocation.time;
  operation.input = invocation.input;
  operation.process = invocation.process;
  operation.key = invocation.key.empty() ? 0 : pool().symbol(invocation.key);
  operation.function_name = pool().symbol(invocation.function);
  operation.function = function_of(operation.function_name);
  return index;
}

Result<std::size_t> HistoryBuilder::complete(const Completion& completion) {
  std::size_t& flight = flight_of(completion.process);
  if (flight == 0) {
    return base::make_error(Errc::unreadable_input,
                            fmt::format("process {} completes an operation that it did not invoke",
                                        completion.process));
  }
  const std::size_t index = std::exchange(flight, 0) - 1;
  Operation& operation = history_.operations_[index];
  const std::int64_t position = position_++;
  operation.complete = completion.outcome == Outcome::info ? kNever : position;
  operation.complete_time = completion.time;
  operation.outcome = completion.outcome;
  operation.output = completion.output;
  if (!completion.error.empty()) operation.error = pool().symbol(completion.error);
  if (!completion.node.empty()) operation.node = pool().symbol(completion.node);
  return index;
}

void HistoryBuilder::reserve(std::size_t operations) {
  history_.operations_.reserve(operations);
  base::use_large_pages(history_.operations_);
}

void HistoryBuilder::expect(double times) {
  reserve(static_cast<std::size_t>(static_cast<double>(size()) * times));
}

void HistoryBuilder::add(const Operation& operation) {
  history_.operations_.push_back(operation);
}

void HistoryBuilder::note(std::int64_t time, std::string text) {
  history_.notes_.push_back(Note{position_, time, std::move(text)});
}

std::optional<std::size_t> HistoryBuilder::in_flight(std::int64_t process) const {
  std::size_t flight = 0;
  if (is_one_of_few(process)) {
    const auto index = static_cast<std::size_t>(process);
    if (index < few_in_flight_.size()) flight = few_in_flight_[index];
  } else if (const auto found = others_in_flight_.find(process); found != others_in_flight_.end()) {
    flight = found->second;
  }
  if (flight == 0) return std::nullopt;
  return flight - 1;
}

History HistoryBuilder::finish() {
  // A recorded history is in order already; sorting it again would cost a second copy of it.
  if (!std::ranges::is_sorted(history_.operations_, {}, &Operation::invoke)) {
    std::ranges::stable_sort(history_.operations_, {}, &Operation::invoke);
  }
  few_in_flight_.clear();
  others_in_flight_.clear();
  functions_.clear();
  position_ = 0;
  return std::exchange(history_, History());
}

}  // namespace sunder::history
