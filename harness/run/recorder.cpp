#include "harness/run/recorder.hpp"

#include "harness/base/assert.hpp"
#include "harness/history/text.hpp"

namespace sunder::run {

Recorder::Recorder(base::RunClock clock, LineFile file) : clock_(clock), file_(std::move(file)) {}

void Recorder::invoke(std::int64_t process, const workloads::Invocation& invocation) {
  const auto index = builder_.invoke({.process = process,
                                      .function = invocation.function,
                                      .key = invocation.key,
                                      .input = invocation.input,
                                      .time = clock_.now()});
  SUNDER_ASSERT(index.has_value());
  file_.append(history::invoke_line(position_++, builder_.pool(), builder_.operation(*index)));
}

void Recorder::complete(std::int64_t process, const workloads::Completion& completion) {
  const auto index = builder_.complete({.process = process,
                                        .outcome = completion.outcome,
                                        .output = completion.output,
                                        .error = completion.error,
                                        .node = completion.node,
                                        .time = clock_.now()});
  SUNDER_ASSERT(index.has_value());
  const history::Operation& operation = builder_.operation(*index);
  file_.append(history::completion_line(position_++, builder_.pool(), operation));
  ++outcomes_.at(static_cast<std::size_t>(completion.outcome));
  if (completion.outcome == history::Outcome::ok && first_ok_ < 0)
    first_ok_ = operation.complete_time;
}

}  // namespace sunder::run
