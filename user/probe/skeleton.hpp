// SPDX-License-Identifier: Apache-2.0
// The one place that includes the generated skeleton, and its owner.
#pragma once

#include <memory>

// The generated code is C: keep its style out of our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "stalesock.skel.h"
#pragma GCC diagnostic pop

namespace stalesock {

struct SkeletonDeleter {
	void operator()(stalesock_bpf* skeleton) const { stalesock_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<stalesock_bpf, SkeletonDeleter>;

} // namespace stalesock
