// SPDX-License-Identifier: Apache-2.0
#include "app/state_saver.hpp"

#include <system_error>
#include <utility>

namespace stalesock {

void StateSaver::begin(std::string text) {
	job_.reset();
	job_.emplace(helper_.start([this, text = std::move(text)]() -> std::string {
		try {
			write_(path_, text);
		} catch (const std::system_error& error) {
			return error.what();
		}
		return {};
	}));
}

std::optional<std::string> StateSaver::take_result() {
	return busy() ? std::nullopt : wait_for_result();
}

std::optional<std::string> StateSaver::wait_for_result() {
	if (!job_) {
		return std::nullopt;
	}
	std::string problem = job_->get();
	job_.reset();
	return problem;
}

} // namespace stalesock
