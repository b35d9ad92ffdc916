#include "checkers/delivery/problems.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "checkers/phrase.hpp"

namespace sunder::checkers::delivery {

using history::Operation;
using history::Outcome;
using history::Symbol;
using history::Value;

namespace {

class IdentitySearch {
 public:
  explicit IdentitySearch(const Lives& lives) : lives_(lives) {
    const auto& operations = lives.history().operations();
    for (std::uint32_t i = 0; i < operations.size(); ++i) {
      if (role_of(lives.history(), operations[i]) != Role::send) continue;
      sends_[{operations[i].key, operations[i].input}].push_back(i);
    }
  }

  std::vector<Problem> run() {
    for (const Life& life : lives_.all()) judge(life);
    return std::move(problems_);
  }

 private:
  void judge(const Life& life) {
    if (!life.delivered()) return;
    const Delivery& first =
        life.live.deliveries.empty() ? life.dead.deliveries.front() : life.live.deliveries.front();
    if (!life.send) {
      report_unsent(life, first);
      return;
    }
    if (lives_.end(first.operation) < lives_.begin(*life.send)) {
      add(ProblemKind::unsent, life, first, "before it was sent", *life.send, "sent only now");
    }
    const Value sent = lives_.sent_body(life);
    for (const Delivery& delivery : life.live.deliveries) {
      if (delivery.body == sent) continue;
      add(ProblemKind::changed_body,
          life,
          delivery,
          "which is not what was sent",
          *life.send,
          "sent");
      break;
    }
    for (const Delivery& delivery : life.dead.deliveries) {
      if (delivery.body == sent) continue;
      add(ProblemKind::changed_letter,
          life,
          delivery,
          "a dead letter that is not what was sent",
          *life.send,
          "sent");
      break;
    }
  }

  // Nobody is known to have sent this number: its body tells why.
  void report_unsent(const Life& life, const Delivery& first) {
    const auto sends = sends_.find({life.queue, first.body});
    if (sends == sends_.end()) {
      add(ProblemKind::unsent, life, first, "which nobody sent", first.operation, "from nowhere");
      return;
    }
    const std::uint32_t send = sends->second.front();
    if (lives_.at(send).outcome == Outcome::fail) {
      add(ProblemKind::unsent, life, first, "whose sending had failed", send, "failed");
    } else {
      add(ProblemKind::sent_twice,
          life,
          first,
          "which was sent once and is there under two numbers",
          send,
          "sent once");
    }
  }

  void add(ProblemKind kind,
           const Life& life,
           const Delivery& delivery,
           std::string_view what,
           std::uint32_t other,
           std::string_view note) {
    Problem problem;
    problem.kind = kind;
    problem.queue = life.queue;
    problem.number = life.number;
    problem.why = fmt::format("{} of message {} gave {}, {}",
                              phrase(lives_.history(), lives_.at(delivery.operation)),
                              life.number,
                              lives_.history().pool().describe(delivery.body),
                              what);
    problem.items.push_back({delivery.operation, true, "received"});
    if (other != delivery.operation) problem.items.push_back({other, true, std::string(note)});
    problems_.push_back(std::move(problem));
  }

  const Lives& lives_;
  std::map<std::pair<Symbol, Value>, std::vector<std::uint32_t>> sends_;
  std::vector<Problem> problems_;
};

// Messages in the order in which their first dead letter was received at the latest.
struct Letter {
  const Life* life = nullptr;
  std::int64_t deadline = 0;  // what was skipped must have been handed out by then
  std::int64_t skipped = 0;   // deliveries that nobody is known to have got
};

std::vector<Letter> letters_of(const Lives& lives, Symbol queue, std::int64_t deliveries_max) {
  std::vector<Letter> letters;
  for (const Life& life : lives.all()) {
    if (life.queue != queue || life.dead.deliveries.empty()) continue;
    Letter letter;
    letter.life = &life;
    letter.deadline = lives.client_end(life.dead.deliveries.front().operation);
    for (const Delivery& delivery : life.dead.deliveries) {
      letter.deadline = std::min(letter.deadline, lives.client_end(delivery.operation));
    }
    std::int64_t seen = 0;
    std::int64_t last = 0;
    for (const Delivery& delivery : life.live.deliveries) {
      if (delivery.receipt != last) ++seen;
      last = delivery.receipt;
    }
    letter.skipped = std::max<std::int64_t>(0, deliveries_max - seen);
    letters.push_back(letter);
  }
  std::ranges::sort(letters, {}, &Letter::deadline);
  return letters;
}

Problem early_letter(const Lives& lives, const Letter& letter, std::int64_t deliveries_max) {
  Problem problem;
  problem.kind = ProblemKind::early_letter;
  problem.queue = letter.life->queue;
  problem.number = letter.life->number;
  problem.why = fmt::format(
      "message {} was a dead letter after {} deliveries, {} too few, and receives of unknown "
      "outcome "
      "do not account for the others",
      letter.life->number,
      deliveries_max - letter.skipped,
      letter.skipped);
  for (const Delivery& delivery : letter.life->live.deliveries) {
    problem.items.push_back({delivery.operation, true, "delivered"});
  }
  problem.items.push_back(
      {letter.life->dead.deliveries.front().operation, true, "received as a dead letter"});
  (void)lives;
  return problem;
}

// Each receive of unknown outcome may have been one skipped delivery, if it began early enough.
void find_early_letters(const Lives& lives,
                        Symbol queue,
                        std::int64_t deliveries_max,
                        std::vector<Problem>& problems) {
  std::vector<std::int64_t> unknown;  // begins
  for (const std::uint32_t receive : lives.receives()) {
    const Operation& operation = lives.at(receive);
    if (operation.outcome == Outcome::info && operation.key == queue) {
      unknown.push_back(lives.begin(receive));
    }
  }
  std::ranges::sort(unknown);
  std::int64_t used = 0;
  for (const Letter& letter : letters_of(lives, queue, deliveries_max)) {
    const auto available = std::ranges::upper_bound(unknown, letter.deadline) - unknown.begin();
    if (used + letter.skipped <= available) {
      used += letter.skipped;
    } else {
      problems.push_back(early_letter(lives, letter, deliveries_max));
    }
  }
}

}  // namespace

std::string_view name_of(ProblemKind kind) noexcept {
  switch (kind) {
    case ProblemKind::unsent:
      return "never sent";
    case ProblemKind::changed_body:
      return "changed body";
    case ProblemKind::changed_letter:
      return "changed dead letter";
    case ProblemKind::sent_twice:
      return "there twice";
    case ProblemKind::returned:
      return "back after it was acknowledged";
    case ProblemKind::too_many:
      return "more than were sent";
    case ProblemKind::overlap:
      return "with two consumers at once";
    case ProblemKind::shared_receipt:
      return "one receipt for two";
    case ProblemKind::accepted_receipt:
      return "accepted a receipt that was not valid";
    case ProblemKind::refused_owner:
      return "refused the owner";
    case ProblemKind::lost:
      return "lost message";
    case ProblemKind::early_letter:
      return "given up too early";
    case ProblemKind::late_letter:
      return "given up too late";
    case ProblemKind::over_limit:
      return "accepted beyond the limit";
    case ProblemKind::under_limit:
      return "refused below the limit";
    case ProblemKind::overdue:
      return "never came again";
  }
  return "";
}

std::vector<Problem> find_identity_problems(const Lives& lives) {
  return IdentitySearch(lives).run();
}

std::vector<Problem> find_letter_problems(const Lives& lives, std::int64_t deliveries_max) {
  std::vector<Problem> problems;
  std::vector<Symbol> queues;
  for (const Life& life : lives.all()) {
    if (std::ranges::find(queues, life.queue) == queues.end()) queues.push_back(life.queue);
    if (life.live.deliveries.empty()) continue;
    const Delivery& last = life.live.deliveries.back();
    if (last.receipt <= deliveries_max) continue;
    Problem problem;
    problem.kind = ProblemKind::late_letter;
    problem.queue = life.queue;
    problem.number = life.number;
    problem.why = fmt::format("message {} was delivered {} times, although {} are allowed",
                              life.number,
                              last.receipt,
                              deliveries_max);
    problem.items.push_back({last.operation, true, "one delivery too many"});
    problems.push_back(std::move(problem));
  }
  for (const Symbol queue : queues) find_early_letters(lives, queue, deliveries_max, problems);
  return problems;
}

}  // namespace sunder::checkers::delivery
