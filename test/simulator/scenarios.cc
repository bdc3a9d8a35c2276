#include "scenarios.h"

namespace simulator {

using namespace uintr;

namespace {

enum class Way { Wait, Loop, Compute, Callback };

// Lets time pass until what was posted is over.
void pass(Rank& r, Way way) {
  switch (way) {
    case Way::Wait:
      r.wait_all();
      break;
    case Way::Loop:
      r.loop_all();
      break;
    case Way::Compute:
      r.compute();
      break;
    case Way::Callback:
      r.compute_in_callback();
      break;
  }
}

// One message from 0 to 1. `at_post`: both ends copy all they can as they post, expecting to wait.
std::function<void(Rank&)> one(uint64_t length, Way sender, Way receiver, bool synchronous = false,
                               bool at_post = false) {
  return [=](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, length, {.synchronous = synchronous, .waits = at_post});
      pass(r, sender);
    } else {
      r.irecv(0, length, {.waits = at_post});
      pass(r, receiver);
    }
    r.finish();
  };
}

Settings with(Driver driver, uint32_t kinds = kCopyDirect) {
  Settings s;
  s.driver = driver;
  s.copy_kinds = kinds;
  return s;
}
Settings mortal(Settings s, uint32_t mask) {
  s.mortal = mask;
  return s;
}
Settings closing(Settings s) {
  s.closing = true;
  return s;
}

constexpr uint64_t kEager = 24;     // bytes
constexpr uint64_t kOne = 250;      // a rendezvous of one chunk (sent synchronously, or past the limit)
constexpr uint64_t kSeveral = 500;  // of four

std::vector<Scenario> make() {
  std::vector<Scenario> all;
  auto add = [&](std::string name, uint32_t bound, Settings settings, std::function<void(Rank&)> program) {
    all.push_back({std::make_unique<EngineCase>(std::move(name), settings, std::move(program)), bound});
  };
  const Settings signal = with(Driver::Signal), user = with(Driver::Uintr), poll = with(Driver::Poll);
  const Settings pipeline = with(Driver::Signal, kCopyPipeline);

  // ---- one message, every way of waiting for it
  add("eager-wait-wait", 3, signal, one(kEager, Way::Wait, Way::Wait));
  add("eager-wait-loop", 3, signal, one(kEager, Way::Wait, Way::Loop));
  add("eager-loop-uintr", 3, user, one(kEager, Way::Loop, Way::Loop));
  add("eager-poll", 3, poll, one(kEager, Way::Wait, Way::Loop));
  add("one-chunk-wait-wait", 3, signal, one(kOne, Way::Wait, Way::Wait, true));
  add("one-chunk-wait-loop-uintr", 3, user, one(kOne, Way::Wait, Way::Loop, true));
  add("one-chunk-compute-receiver", 3, signal, one(kOne, Way::Wait, Way::Compute, true));
  add("one-chunk-compute-sender", 3, signal, one(kOne, Way::Compute, Way::Wait, true));
  add("chunks-wait-wait", 3, signal, one(kSeveral, Way::Wait, Way::Wait));
  add("chunks-loop-loop", 2, signal, one(kSeveral, Way::Loop, Way::Loop));
  add("chunks-wait-loop-uintr", 2, user, one(kSeveral, Way::Wait, Way::Loop));
  add("chunks-compute-receiver", 3, signal, one(kSeveral, Way::Wait, Way::Compute));
  add("chunks-compute-sender", 2, signal, one(kSeveral, Way::Compute, Way::Wait));
  add("chunks-compute-both", 3, signal, one(kSeveral, Way::Compute, Way::Compute));
  add("chunks-compute-both-uintr", 3, user, one(kSeveral, Way::Compute, Way::Compute));
  add("chunks-callback-receiver", 3, signal, one(kSeveral, Way::Wait, Way::Callback));
  add("chunks-callback-both-uintr", 2, user, one(kSeveral, Way::Callback, Way::Callback));
  add("chunks-at-post-wait", 2, signal, one(kSeveral, Way::Wait, Way::Wait, false, true));
  add("chunks-at-post-compute-sender", 2, signal, one(kSeveral, Way::Compute, Way::Wait, false, true));
  add("chunks-at-post-compute-both", 2, signal, one(2 * kSeveral, Way::Compute, Way::Compute, false, true));
  add("chunks-at-post-compute-both-uintr", 2, user, one(2 * kSeveral, Way::Compute, Way::Compute, false, true));
  add("chunks-poll", 2, poll, one(kSeveral, Way::Wait, Way::Loop));
  add("pipeline-wait-wait", 3, pipeline, one(kSeveral, Way::Wait, Way::Wait));
  add("pipeline-compute-both", 3, pipeline, one(2 * kSeveral, Way::Compute, Way::Compute));
  add("pipeline-loop-uintr", 2, with(Driver::Uintr, kCopyPipeline), one(2 * kSeveral, Way::Loop, Way::Loop));

  // ---- both directions, oneself, several
  auto exchange = [](uint64_t length, Way way) {
    return [=](Rank& r) {
      r.irecv(1 - r.rank(), length);
      r.isend(1 - r.rank(), length);
      pass(r, way);
      r.finish();
    };
  };
  add("exchange-eager", 3, signal, exchange(kEager, Way::Wait));
  add("exchange-chunks-wait", 2, signal, exchange(kSeveral, Way::Wait));
  add("exchange-chunks-compute", 2, signal, exchange(kSeveral, Way::Compute));
  add("exchange-pipeline-compute", 2, pipeline, exchange(2 * kSeveral, Way::Compute));
  add("self", 2, signal, [](Rank& r) {
    if (r.rank() == 1) return r.finish();
    r.isend(0, kEager, {.tag = 1});
    r.isend(0, kSeveral, {.tag = 1});
    r.irecv(0, kSeveral, {.tag = 1});
    r.irecv(kAnySource, kSeveral, {.tag = kAnyTag});
    r.isend(0, 0, {.tag = 2, .synchronous = true});
    r.irecv(0, 0, {.tag = 2});
    r.wait_all();
    r.finish();
  });
  add("zero-length-synchronous", 3, signal, one(0, Way::Loop, Way::Wait, true));
  add("synchronous-to-computing", 3, signal, one(kEager, Way::Wait, Way::Compute, true));

  // ---- order
  add("eager-overtakes-nothing", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
      r.isend(1, kEager, {.tag = 1});
      r.wait_all();
    } else {
      r.irecv(0, kSeveral, {.tag = kAnyTag});
      r.irecv(kAnySource, kSeveral, {.tag = 1});
      r.wait_all();
    }
    r.finish();
  });
  add("wildcard-then-exact", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kEager, {.tag = 1});
      r.isend(1, kOne, {.tag = 2, .synchronous = true});
      r.wait_all();
    } else {
      r.irecv(kAnySource, kOne, {.tag = kAnyTag});
      r.irecv(0, kOne, {.tag = 2});
      r.loop_all();
    }
    r.finish();
  });
  add("truncated", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kEager);
      r.isend(1, kSeveral);
      r.wait_all();
    } else {
      r.irecv(0, 8);
      r.irecv(0, kSeveral / 2 + 30);
      r.wait_all();
    }
    r.finish();
  });

  // ---- receives that their sender matches
  auto two_sends = [](uint64_t first, uint64_t second, Way sender, std::function<void(Rank&)> receiver) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, first, {.tag = 1});
        r.isend(1, second, {.tag = 1});
        pass(r, sender);
      } else {
        receiver(r);
      }
      r.finish();
    };
  };
  add("advert-behind-eager", 2, signal, two_sends(kEager, kSeveral, Way::Wait, [](Rank& r) {
        r.irecv(0, kSeveral, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.wait_all();
      }));
  add("advert-behind-wildcard", 2, signal, two_sends(kSeveral, kOne, Way::Compute, [](Rank& r) {
        r.irecv(kAnySource, kSeveral, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.wait_all();
      }));
  add("advert-behind-short", 2, signal, two_sends(kEager, kSeveral, Way::Wait, [](Rank& r) {
        r.irecv(0, kEager, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.compute();
      }));
  add("advert-reused-slot", 2, signal, two_sends(kSeveral, kSeveral, Way::Wait, [](Rank& r) {
        r.cancel(r.irecv(0, kSeveral, {.tag = 2}));
        r.test();
        r.irecv(0, kSeveral, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.wait_all();
      }));
  add("advert-cancelled", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
    } else {
      size_t request = r.irecv(0, kSeveral, {.tag = 1});
      r.pause();
      r.cancel(request);
      r.irecv(0, kSeveral, {.tag = 1});
      r.cancel(r.irecv(0, kSeveral, {.tag = kAnyTag}));
    }
    r.wait_all();
    r.finish();
  });
  for (bool abandons : {false, true}) {
    add(abandons ? "advert-abandoned" : "advert-closed", 2, closing(signal), [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.tag = 1});
        r.wait_all();
        return r.finish();
      }
      r.irecv(0, kSeveral, {.tag = 1});
      r.pause();
      abandons ? r.abandon() : r.close();
    });
  }
  for (uint32_t who : {1u, 2u}) {
    add(who == 1 ? "advert-sender-dies" : "advert-receiver-dies", 2, mortal(signal, who),
        two_sends(kSeveral, kOne, Way::Compute, [](Rank& r) {
          r.irecv(0, kSeveral, {.tag = 1});
          r.irecv(0, kSeveral, {.tag = 1});
          r.compute();
        }));
  }

  // ---- cancelling
  add("cancel-receive", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral);
    } else {
      size_t request = r.irecv(0, kSeveral);
      r.test();
      r.cancel(request);
      r.wait_all();
      r.irecv(0, kSeveral);
    }
    r.wait_all();
    r.finish();
  });
  add("cancel-send", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      size_t request = r.isend(1, kSeveral);
      r.isend(1, kEager);
      r.cancel(request);
    } else {
      r.irecv(0, kSeveral);
      r.irecv(0, kSeveral);
    }
    r.wait_all();
    r.finish();
  });
  add("cancel-send-reuse-slot", 3, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.cancel(r.isend(1, kSeveral));
      r.test();
      r.isend(1, kSeveral, {.tag = 2});
    } else {
      r.test();
      r.irecv(0, kSeveral, {.tag = kAnyTag});
    }
    r.wait_all();
    r.finish();
  });

  // ---- too much at once
  Settings tight = signal;
  tight.credit_blocks = 1;
  add("no-credit", 2, tight, [](Rank& r) {
    if (r.rank() == 0) {
      for (int i = 0; i < 3; ++i) r.isend(1, kEager);
      r.wait_all();
    } else {
      for (int i = 0; i < 3; ++i) r.irecv(0, kEager);
      r.wait_all();
    }
    r.finish();
  });
  Settings full = signal;
  full.credit_blocks = 16;
  auto fill = [](Way sender, Way receiver) {
    return [=](Rank& r) {
      constexpr int kMessages = 5;  // four fill the ring
      if (r.rank() == 0) {
        for (int i = 0; i < kMessages; ++i) r.isend(1, 220);
        pass(r, sender);
      } else {
        for (int i = 0; i < kMessages; ++i) r.irecv(0, 220);
        pass(r, receiver);
      }
      r.finish();
    };
  };
  add("ring-full-wait", 2, full, fill(Way::Wait, Way::Wait));
  add(
      "ring-full-loop-uintr", 2,
      [&] {
        Settings s = full;
        s.driver = Driver::Uintr;
        return s;
      }(),
      fill(Way::Loop, Way::Loop));
  add("ring-full-computing-sender", 2, full, fill(Way::Compute, Way::Wait));
  add("ring-full-computing-receiver", 2, full, fill(Way::Wait, Way::Compute));
  add("ring-full-pause", 2, full, [](Rank& r) {
    if (r.rank() == 0) {
      r.irecv(1, 0, {.tag = 2});  // once all receives are posted, or these would take messages out one by one
      r.wait_all();
      for (int i = 0; i < 4; ++i) r.isend(1, 220);
      r.pause();  // the consumer may come in just where the ring is full
      r.isend(1, 220);
      r.compute();
    } else {
      for (int i = 0; i < 5; ++i) r.irecv(0, 220);
      r.isend(0, 0, {.tag = 2});
      r.wait_all();
    }
    r.finish();
  });
  add(
      "pipeline-behind-queue", 2,
      [&] {
        Settings s = full;
        s.copy_kinds = kCopyPipeline;
        return s;
      }(),
      [](Rank& r) {
        if (r.rank() == 0) {
          r.isend(1, kSeveral, {.tag = 1});
          for (int i = 0; i < 5; ++i) r.isend(1, 220, {.tag = 2});
        } else {
          r.irecv(0, kSeveral, {.tag = 1});
          for (int i = 0; i < 5; ++i) r.irecv(0, 220, {.tag = 2});
        }
        r.wait_all();
        r.finish();
      });

  // ---- receives without a buffer, and the heap
  Settings no_memory = signal;
  no_memory.heap_committable = 4096;
  auto allocate = [](Way receiver, int messages) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        for (int i = 0; i < messages; ++i) r.isend(1, i % 2 == 0 ? kSeveral : kEager);
        r.wait_all();
      } else {
        for (int i = 0; i < messages; ++i) r.irecv(0, 0, {.allocate = true});
        pass(r, receiver);
      }
      r.finish();
    };
  };
  add("allocate-wait", 2, signal, allocate(Way::Wait, 2));
  add("allocate-compute", 2, signal, allocate(Way::Compute, 2));
  add("allocate-no-memory", 2, no_memory, allocate(Way::Compute, 3));
  add("allocate-loop-uintr", 2, user, allocate(Way::Loop, 2));
  Settings little = signal;
  little.heap_bytes = little.heap_committable = 2048;
  add("allocate-memory-comes-back", 2, little, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, 3 * kSeveral, {.tag = 1});
      r.isend(1, 2 * kSeveral, {.tag = 2});
    } else {
      r.irecv(0, 2 * kSeveral, {.tag = 2, .in_heap = true});  // its buffer is what leaves no room
      r.irecv(0, 0, {.tag = 1, .allocate = true});
    }
    if (!r.wait_all()) r.machine().fail("memory came back, and nothing went on");
    r.finish();
  });
  // A receive that nobody gives memory is given up, while its sender goes on,
  // takes the message back, or ends.
  Settings none = signal;
  none.heap_committable = 0;
  auto given_up = [](uint64_t length, std::function<void(Rank&, size_t)> sender, bool all = false) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        sender(r, r.isend(1, length, {.tag = 1}));
        return;
      }
      size_t first = r.irecv(0, 0, {.tag = kAnyTag, .allocate = true});
      r.irecv(kAnySource, length, {.tag = 2});
      r.test();
      r.pause();
      if (!r.give_up(first)) {
        r.wait_one(first);
        r.give_up(first);
      }
      r.irecv(kAnySource, length, {.tag = kAnyTag});
      if (all) r.irecv(kAnySource, length, {.tag = kAnyTag});  // what came after it is received after it
      r.wait_all();
      r.finish();
    };
  };
  auto goes_on = [](Rank& r, size_t) {
    r.isend(1, kEager, {.tag = 1});
    r.isend(1, kOne, {.tag = 2, .synchronous = true});
    r.wait_all();
    r.finish();
  };
  auto takes_back = [](Rank& r, size_t sent) {
    r.pause();
    r.cancel(sent);
    r.isend(1, kEager, {.tag = 1});
    r.wait_all();
    r.finish();
  };
  add("give-up-chunks", 2, none, given_up(kSeveral, goes_on));
  add("give-up-order", 2, none, given_up(kSeveral, goes_on, true));
  add("give-up-eager", 2, none, given_up(kEager, goes_on));
  add("give-up-cancelled", 2, none, given_up(kSeveral, takes_back));
  add("give-up-sender-abandons", 2, closing(none), given_up(kSeveral, [](Rank& r, size_t) {
        r.pause();
        r.abandon();
      }));
  add("give-up-sender-closes", 2, closing(none), given_up(kSeveral, [](Rank& r, size_t) { r.close(); }));
  add("give-up-sender-dies", 2, mortal(none, 1), given_up(kSeveral, goes_on));
  // A probe waits, while an envelope may interrupt its rank because of another receive.
  auto probed = [](uint64_t length) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, length, {.tag = 1, .synchronous = true});
        r.wait_all();
        r.isend(1, length, {.tag = 2});
        r.wait_all();
      } else {
        r.irecv(0, length, {.tag = 2});
        if (!r.await_message(kAnySource, 1)) r.machine().fail("a probe was not told of its message");
        r.irecv(0, length, {.tag = 1});
        r.wait_all();
      }
      r.finish();
    };
  };
  add("probe-chunks", 2, signal, probed(kSeveral));
  add("probe-chunks-uintr", 2, user, probed(kSeveral));
  add("probe-eager", 2, signal, probed(kEager));
  add("probe-poll", 2, poll, probed(kSeveral));
  // A message is matched first and received later, while its sender goes on, takes it back, or ends.
  auto matched = [](uint64_t length, std::function<void(Rank&, size_t)> sender) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        sender(r, r.isend(1, length, {.tag = 1}));
        return;
      }
      r.await_message(0, 1);
      size_t first = r.improbe(kAnySource, 1);
      r.irecv(kAnySource, length, {.tag = kAnyTag});
      r.pause();
      if (first != Rank::kNothing) r.imrecv(first);
      r.wait_all();
      r.finish();
    };
  };
  add("mprobe-chunks", 2, signal, matched(kSeveral, goes_on));
  add("mprobe-eager", 2, signal, matched(kEager, goes_on));
  add("mprobe-cancelled", 2, signal, matched(kSeveral, takes_back));
  add("mprobe-sender-abandons", 2, closing(signal), matched(kSeveral, [](Rank& r, size_t) {
        r.pause();
        r.abandon();
      }));
  add("mprobe-sender-dies", 2, mortal(signal, 1), matched(kSeveral, goes_on));
  add("mprobe-never-received", 2, closing(signal), [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
      r.isend(1, kEager, {.tag = 1});
      r.wait_all();
      r.finish();
    } else {
      for (int i = 0; i < 2; ++i) {
        r.await_message(0, 1);
        r.improbe(0, 1);
      }
      r.close();
    }
  });
  const Settings heap = with(Driver::Signal, kCopyHeap | kCopyPipeline);
  auto in_heap = [](bool sender, bool receiver, Way way) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.in_heap = sender});
      } else {
        r.irecv(0, kSeveral, {.in_heap = receiver});
      }
      pass(r, way);
      r.finish();
    };
  };
  add("heap-both", 2, heap, in_heap(true, true, Way::Compute));
  add("heap-sender", 2, heap, in_heap(true, false, Way::Wait));
  add("heap-sender-compute", 2, heap, in_heap(true, false, Way::Compute));
  add("heap-receiver", 2, heap, in_heap(false, true, Way::Loop));
  add("heap-receiver-compute", 2, heap, in_heap(false, true, Way::Compute));

  // ---- messages that are lent
  auto lends = [](Way sender, Way receiver, bool late = false) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.tag = 1, .lend = true});
        r.isend(1, kEager, {.tag = 1, .lend = true});
        pass(r, sender);
      } else {
        if (late) r.test(), r.pause();
        r.irecv(0, 0, {.tag = 1, .allocate = true});
        r.irecv(kAnySource, 0, {.tag = kAnyTag, .allocate = true});
        pass(r, receiver);
        r.release(1);
        r.pause();
        r.release();
      }
      r.finish();
    };
  };
  add("lend-wait", 2, signal, lends(Way::Wait, Way::Wait));
  add("lend-late", 2, signal, lends(Way::Wait, Way::Loop, true));
  add("lend-compute", 2, signal, lends(Way::Compute, Way::Compute));
  add("lend-loop-uintr", 2, user, lends(Way::Loop, Way::Loop));
  add("lend-poll", 2, poll, lends(Way::Wait, Way::Loop));
  add("lend-no-memory", 2, [&] {
        Settings s = heap;
        s.heap_committable = kSeveral + 1000;
        return s;
      }(), lends(Way::Loop, Way::Wait));
  for (uint32_t who : {1u, 2u}) {
    add(who == 1 ? "lend-lender-dies" : "lend-borrower-dies", 2, mortal(signal, who), lends(Way::Wait, Way::Wait));
  }
  auto lent = [](std::function<void(Rank&)> lender, std::function<void(Rank&)> borrower) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.tag = 1, .lend = true});
        return lender(r);
      }
      r.irecv(0, 0, {.tag = 1, .allocate = true});
      borrower(r);
    };
  };
  auto waits = [](Rank& r) { r.wait_all(), r.finish(); };
  add("lend-to-a-buffer", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.lend = true});
      r.isend(1, kSeveral, {.lend = true});
    } else {
      r.irecv(0, kSeveral);
      r.irecv(0, 0, {.allocate = true});
    }
    r.wait_all();
    r.finish();
  });
  add("lend-cancelled", 2, signal, lent([](Rank& r) {
        r.pause();
        r.cancel(0);
        r.isend(1, kSeveral, {.tag = 1, .lend = true});
        r.wait_all();
        r.finish();
      }, waits));
  // As many as its reply ring has no room for, and then others in the same slots.
  add("lend-reply-ring-full", 1, signal, [](Rank& r) {
    for (int round = 0; round < 2; ++round) {
      for (uint32_t i = 0; i < 6; ++i) {
        if (r.rank() == 0) {
          r.isend(1, 40 + i, {.tag = i, .lend = true});
        } else {
          r.irecv(0, 0, {.tag = i, .allocate = true});
        }
      }
      if (r.rank() == 1) {
        r.wait_all();
        for (int i = 0; i < 6; ++i) r.release();
      }
      r.wait_all();
    }
    r.finish();
  });
  auto closes = [](Rank& r) { r.close(); };
  auto pauses_and_abandons = [](Rank& r) {
    r.pause();
    r.abandon();
  };
  auto keeps = [](Rank& r) {
    r.wait_all();
    r.await_end(0);
    r.release();
    r.finish();
  };
  add("lend-lender-closes", 2, closing(signal), lent(closes, keeps));
  add("lend-borrower-closes", 2, closing(signal), lent(waits, [](Rank& r) {
        r.test();
        r.close();
      }));
  add("lend-both-close", 2, closing(signal), lent(closes, closes));
  add("lend-lender-abandons", 2, closing(signal), lent(pauses_and_abandons, keeps));
  add("lend-borrower-abandons", 2, closing(signal), lent(waits, pauses_and_abandons));

  // ---- foreign interrupts, as other users of the signal send them
  Settings foreign = signal;
  foreign.foreign_interrupts = true;
  add("foreign-eager", 2, foreign, one(kEager, Way::Wait, Way::Wait));
  add("foreign-chunks", 2, foreign, one(kSeveral, Way::Wait, Way::Compute));

  // ---- death at every instruction
  for (uint32_t who : {1u, 2u}) {
    std::string name = who == 1 ? "-sender-dies" : "-receiver-dies";
    add("eager" + name, 3, mortal(signal, who), one(kEager, Way::Wait, Way::Wait));
    add("one-chunk" + name, 3, mortal(signal, who), one(kOne, Way::Wait, Way::Loop, true));
    add("chunks" + name, 2, mortal(signal, who), one(kSeveral, Way::Wait, Way::Wait));
    add("chunks-compute" + name, 2, mortal(signal, who), one(kSeveral, Way::Compute, Way::Compute));
    add("pipeline" + name, 2, mortal(pipeline, who), one(kSeveral, Way::Wait, Way::Wait));
    add("allocate" + name, 2, mortal(signal, who), allocate(Way::Loop, 2));
    add("ring-full" + name, 2, mortal(full, who), fill(Way::Wait, Way::Wait));
  }

  // ---- death at every instruction, and a new life
  // Each sends the other a short message that it receives, one that it does not, and perhaps a long one.
  auto comes_back = [](Way before, Way after, bool large) {
    return [=](Rank& r) {
      uint32_t other = 1 - r.rank();
      auto talk = [&](bool all) {
        uint64_t eager = r.eager_sent();
        r.isend(other, kEager, {.tag = 1});
        r.isend(other, kEager, {.tag = 2});
        if (r.eager_sent() != eager + 2) r.machine().fail("rank %u: credit is lost", r.rank());
        if (large || all) r.isend(other, kSeveral, {.tag = 3});
        r.irecv(other, kEager, {.tag = 1});
        if (all) r.irecv(other, kEager, {.tag = 2});
        if (large || all) r.irecv(other, kSeveral, {.tag = 3});
      };
      if (r.life() == 0) {
        talk(false);
        pass(r, before);
        if (r.rank() == 0) r.vanish();
        r.await_end(0);
        r.let_in(0);
      }
      talk(true);
      pass(r, after);
      r.finish();
    };
  };
  auto elastic = [](Settings s) {
    s.elastic = true;
    return mortal(s, 1);
  };
  add("lend-lender-comes-back", 1, elastic(signal), [](Rank& r) {
    if (r.rank() == 0) {
      for (uint32_t i = 0; i < 2; ++i) r.isend(1, kSeveral + i, {.tag = 1, .lend = true});
      if (r.life() == 0) r.vanish();
      r.wait_all();
      return r.finish();
    }
    auto borrows = [&] {
      for (int i = 0; i < 2; ++i) r.irecv(0, 0, {.tag = 1, .allocate = true});
      r.wait_all();
    };
    borrows();
    r.await_end(0);
    r.let_in(0);
    borrows();
    // Those of the life before first.
    for (int i = 0; i < 4; ++i) {
      r.release();
      r.pause();
    }
    r.finish();
  });
  add("comes-back-short", 2, elastic(signal), comes_back(Way::Wait, Way::Wait, false));
  add("comes-back-wait", 1, elastic(signal), comes_back(Way::Wait, Way::Wait, true));
  add("comes-back-compute", 1, elastic(signal), comes_back(Way::Compute, Way::Compute, true));
  add("comes-back-pipeline", 1, elastic(pipeline), comes_back(Way::Wait, Way::Compute, true));
  add("comes-back-loop-uintr", 1, elastic(user), comes_back(Way::Loop, Way::Loop, true));

  // ---- close and abandon
  auto then_close = [](uint64_t length, bool both) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, length);
        r.close();
      } else {
        r.irecv(0, length);
        r.irecv(kAnySource, length);
        if (!both) r.wait_all();
        both ? r.close() : r.finish();
      }
    };
  };
  add("close-after-eager", 2, closing(signal), then_close(kEager, false));
  add("close-after-chunks", 2, closing(signal), then_close(kSeveral, false));
  add("close-both", 2, closing(signal), then_close(kSeveral, true));
  add("close-receiver", 2, closing(signal), [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral);
      r.isend(1, kEager);
      r.isend(1, kSeveral, {.tag = 2});
      r.wait_all();
      r.finish();
    } else {
      r.irecv(0, kSeveral);
      r.close();
    }
  });
  add("close-crossing-sends", 2, closing(signal), [](Rank& r) {
    r.isend(1 - r.rank(), kSeveral);
    r.close();
  });
  auto then_abandon = [](uint64_t length, bool sender) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, length);
        sender ? r.abandon() : (r.wait_all(), r.finish());
      } else {
        r.irecv(0, length);
        r.test();
        sender ? (r.wait_all(), r.finish()) : r.abandon();
      }
    };
  };
  add("abandon-sender", 2, closing(signal), then_abandon(kSeveral, true));
  add("abandon-receiver", 2, closing(signal), then_abandon(kSeveral, false));
  add("abandon-pipeline-sender", 2, closing(pipeline), then_abandon(kSeveral, true));
  add("abandon-pipeline-receiver", 2, closing(pipeline), then_abandon(kSeveral, false));

  auto leaves_behind = [](bool sender) {
    return [=](Rank& r) {
      if (r.rank() == (sender ? 0u : 1u)) {
        sender ? r.isend(1, kSeveral) : r.irecv(0, kSeveral);
        r.test();
        r.pause();
        r.leave_behind(1 - r.rank());
      } else {
        sender ? r.irecv(0, kSeveral) : r.isend(1, kSeveral);
        r.wait_all();
        r.finish();
      }
    };
  };
  add("leaves-behind-sender", 2, closing(signal), leaves_behind(true));
  add("leaves-behind-receiver", 2, closing(signal), leaves_behind(false));

  // ---- three ranks
  // Two send to one, which takes them as they come; or each sends to the next.
  auto to_one = [](uint64_t length, Way senders, Way receiver) {
    return [=](Rank& r) {
      if (r.rank() != 0) r.isend(0, length + r.rank(), {.synchronous = length < kOne});
      for (int i = 0; r.rank() == 0 && i < 2; ++i) r.irecv(kAnySource, kSeveral + 2, {.tag = kAnyTag});
      pass(r, r.rank() == 0 ? receiver : senders);
      r.finish();
    };
  };
  auto around = [](uint64_t length, Way way) {
    return [=](Rank& r) {
      r.irecv((r.rank() + 2) % 3, length + 2, {});
      r.isend((r.rank() + 1) % 3, length + r.rank(), {});
      pass(r, way);
      r.finish();
    };
  };
  auto three = [](Settings s) {
    s.ranks = 3;
    return s;
  };
  add("three-wait", 1, three(signal), to_one(kEager, Way::Wait, Way::Wait));
  add("three-compute-receiver", 1, three(signal), to_one(kEager, Way::Wait, Way::Compute));
  add("three-chunks-compute", 0, three(signal), to_one(kSeveral, Way::Compute, Way::Compute));
  add("three-chunks-loop-uintr", 1, three(user), to_one(kSeveral, Way::Loop, Way::Loop));
  add("three-around", 0, three(signal), around(kSeveral, Way::Compute));
  add("three-around-pipeline", 0, three(pipeline), around(kSeveral, Way::Wait));
  // The third rank clears the others' bits whenever it has its turn, and they get along.
  auto wiped = [](std::function<void(Rank&)> honest) {
    return [=](Rank& r) {
      if (r.rank() != 2) return honest(r);
      for (int i = 0; i < 3; ++i) {
        r.wipe_bits(1);
        r.wipe_bits(0);
        r.pause();
      }
      r.finish();
    };
  };
  auto distrustful = [&](Settings s) {
    s.trusts_bitmap = false;
    return three(s);
  };
  add("bits-wiped-wait", 1, distrustful(signal), wiped(one(kEager, Way::Wait, Way::Wait)));
  add("bits-wiped-loop", 1, distrustful(signal), wiped(one(kSeveral, Way::Loop, Way::Loop)));
  add("bits-wiped-uintr", 1, distrustful(user), wiped(one(kSeveral, Way::Wait, Way::Loop)));
  add("bits-wiped-pipeline", 1, distrustful(pipeline), wiped(one(2 * kSeveral, Way::Wait, Way::Loop)));
  add("bits-wiped-ring-full", 0, distrustful(full), wiped(fill(Way::Wait, Way::Loop)));
  // It sets the match word back while the sender cancels, or ends. Who believes it and who does not, neither touches a
  // buffer whose request is over.
  auto reopened = [](uint64_t length, bool cancels) {
    return [=](Rank& r) {
      if (r.rank() == 2) {
        r.pause();
        r.reopen(0, 0);
      } else if (r.rank() == 1) {
        r.irecv(0, length);
        r.wait_all();
      } else {
        const size_t s = r.isend(1, length, {.synchronous = true});
        r.pause();
        if (cancels) r.cancel(s);
      }
      r.abandon();
    };
  };
  auto forged = [&](Settings s) {
    s.forged = s.closing = true;
    return three(s);
  };
  add("reopened-cancel-one-chunk", 2, forged(signal), reopened(kOne, true));
  add("reopened-cancel-chunks", 1, forged(signal), reopened(kSeveral, true));
  add("reopened-abandon-one-chunk", 2, forged(signal), reopened(kOne, false));
  add("reopened-abandon-chunks", 2, forged(user), reopened(kSeveral, false));
  // Between the two steps of an interrupt, too: the other sender's has to come all the same.
  add("three-sender-dies", 1, mortal(three(signal), 2), to_one(kEager, Way::Wait, Way::Compute));
  add("three-receiver-dies", 1, mortal(three(signal), 1), to_one(kEager, Way::Wait, Way::Wait));

  // ---- collective operations
  auto sum = [](uint64_t elements, Way first, Way second) {
    return [=](Rank& r) {
      r.iallreduce(elements);
      pass(r, r.rank() == 0 ? first : second);
      r.finish();
    };
  };
  constexpr uint64_t kFew = 4, kMany = 200;  // eager; two rounds of two chunks, and local operations of several slices
  add("collective-wait-wait", 2, signal, sum(kFew, Way::Wait, Way::Wait));
  add("collective-wait-compute", 2, signal, sum(kFew, Way::Wait, Way::Compute));
  add("collective-compute-both", 2, signal, sum(kFew, Way::Compute, Way::Compute));
  add("collective-loop-uintr", 2, user, sum(kFew, Way::Loop, Way::Loop));
  add("collective-callback-uintr", 2, user, sum(kFew, Way::Callback, Way::Compute));
  add("collective-poll", 2, poll, sum(kFew, Way::Wait, Way::Loop));
  add("collective-chunks-wait-wait", 1, signal, sum(kMany, Way::Wait, Way::Wait));
  add("collective-chunks-compute-both", 1, signal, sum(kMany, Way::Compute, Way::Compute));
  add("collective-chunks-loop-uintr", 1, user, sum(kMany, Way::Loop, Way::Compute));
  add("collective-pipeline-compute", 1, pipeline, sum(kMany, Way::Compute, Way::Compute));
  // One round of messages too short for a rendezvous, and long local operations after it.
  add("collective-slices-uintr", 2, user, sum(120, Way::Loop, Way::Loop));
  add("collective-two", 1, signal, [](Rank& r) {
    r.iallreduce(kFew, 1);
    r.iallreduce(kMany, 2);
    pass(r, r.rank() == 0 ? Way::Wait : Way::Compute);
    r.finish();
  });
  add("collective-cancel", 1, signal, [](Rank& r) {
    size_t c = r.iallreduce(kMany);
    if (r.rank() == 0) {
      r.pause();
      r.cancel_collective(c);
    }
    r.wait_all();
    r.finish();
  });
  add("collective-dies", 1, mortal(signal, 2), sum(kMany, Way::Wait, Way::Wait));
  add("collective-eager-dies", 2, mortal(signal, 2), sum(kFew, Way::Wait, Way::Compute));
  add("collective-close", 1, closing(signal), [](Rank& r) {
    r.iallreduce(kMany);
    if (r.rank() == 0) return r.close();
    r.wait_all();
    r.finish();
  });
  add("collective-abandon", 1, closing(signal), [](Rank& r) {
    r.iallreduce(kMany);
    r.test();
    if (r.rank() == 0) return r.abandon();
    r.wait_all();
    r.finish();
  });
  return all;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = make();
  return all;
}

}  // namespace simulator
