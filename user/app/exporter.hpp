// SPDX-License-Identifier: Apache-2.0
// The daemon's metrics over HTTP, at /metrics, by threads of their own.
#pragma once

#include <memory>
#include <string>

namespace prometheus {
class Collectable;
class Exposer;
} // namespace prometheus

namespace stalesock {

class Exporter {
  public:
	/// `metrics` may be read by another thread from the first configure() on.
	explicit Exporter(std::weak_ptr<prometheus::Collectable> metrics);
	~Exporter();
	Exporter(const Exporter&) = delete;
	Exporter& operator=(const Exporter&) = delete;

	/// Listens at "ADDRESS:PORT" (IPv4), or nowhere when that is empty; stays as it is when nothing changed. Signals that
	/// this process handles must be blocked before.
	void configure(const std::string& listen);
	/// Where it could not listen: tries again.
	void retry();

	/// Why nobody can read them where somebody should; empty when all is well.
	[[nodiscard]] const std::string& problem() const { return problem_; }

  private:
	void open();

	std::weak_ptr<prometheus::Collectable> metrics_;
	std::string listen_;
	std::string problem_;
	std::unique_ptr<prometheus::Exposer> exposer_;
};

} // namespace stalesock
