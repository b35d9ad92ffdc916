// Builds a history with a stale read, and reads one without; exits with 0 when both are judged
// rightly.

#include <cstdio>
#include <string_view>

#include <sunder/checkers.hpp>

namespace {

namespace checkers = sunder::checkers;
namespace history = sunder::history;

history::History stale_read() {
  history::HistoryBuilder builder;
  const auto step = [&](history::HistoryBuilder::Invocation invocation, history::Value output) {
    invocation.process = 1;
    const auto invoked = builder.invoke(invocation);
    history::HistoryBuilder::Completion completion;
    completion.process = 1;
    completion.outcome = history::Outcome::ok;
    completion.output = output;
    const auto completed = builder.complete(completion);
    if (invoked.has_error() || completed.has_error()) std::puts("the builder refused a step");
  };
  for (const int value : {1, 2}) {
    step({.function = "write", .key = "x", .input = history::Value::integer(value)}, {});
  }
  step({.function = "read", .key = "x", .input = {}}, history::Value::integer(1));
  return builder.finish();
}

constexpr std::string_view kFine =
    "{:process 0, :type :invoke, :f :write, :value 3}\n"
    "{:process 0, :type :ok, :f :write, :value 3}\n"
    "{:process 1, :type :invoke, :f :read, :value nil}\n"
    "{:process 1, :type :ok, :f :read, :value 3}\n";

}  // namespace

int main() {
  const auto broken = checkers::check_model(stale_read(), "register", {}, {});
  if (broken.has_error() || broken->kind != checkers::VerdictKind::broken) return 1;
  std::puts(broken->summary.c_str());
  const auto read = history::read_history(kFine, "fine.edn");
  if (read.has_error() || read->format != history::Format::edn) return 2;
  const auto kept = checkers::check_model(read->history, "register", {}, {});
  if (kept.has_error() || kept->kind != checkers::VerdictKind::kept) return 3;
  std::puts(kept->summary.c_str());
  return 0;
}
