// SPDX-License-Identifier: Apache-2.0
#include "story/plotter.hpp"

#include "model/escape.hpp"
#include "verdict/message.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <utility>

namespace stalesock {

namespace {

/// "163 B" alone where nothing more is known of the class of the bytes.
std::string head_text(const std::optional<std::string>& head) {
	if (head == "http_request") {
		return ", an HTTP request";
	}
	if (head == "tls_alert") {
		return ", a TLS alert";
	}
	if (head == "tls_data") {
		return ", a TLS record";
	}
	return head == "goodbye" ? ", a goodbye" : "";
}

} // namespace

PlotStep& Plotter::add(StepKind kind, std::optional<Nanoseconds> time, std::string text,
                       bool inferred) {
	PlotStep& added = plot_.steps.emplace_back();
	added.step.kind = kind;
	added.step.text = std::move(text);
	added.step.inferred = inferred;
	added.time = time;
	return added;
}

const PastEvent* Plotter::first(EventKind kind) const {
	if (history_ == nullptr) {
		return nullptr;
	}
	const auto found = std::find_if(history_->events.begin(), history_->events.end(),
	                                [kind](const PastEvent& event) { return event.kind == kind; });
	return found == history_->events.end() ? nullptr : &*found;
}

const PastEvent* Plotter::reset() const {
	if (history_ == nullptr) {
		return nullptr;
	}
	const auto found =
		std::find_if(history_->events.begin(), history_->events.end(), ended_by_peer);
	return found == history_->events.end() ? nullptr : &*found;
}

std::string Plotter::writer() const {
	if (history_ != nullptr && history_->write && history_->write->writer) {
		return escape_untrusted(history_->write->writer->command);
	}
	return verdict_.owner.source == OwnerSource::write
	           ? escape_untrusted(verdict_.owner.command.value_or("?"))
	           : "somebody";
}

bool Plotter::is_without_fin() const {
	return subject_ == Subject::our_reset || subject_ == Subject::state ||
	       evidence_.rst_received.value_or(false) || verdict_.kind == VerdictKind::silent_drop ||
	       verdict_.kind == VerdictKind::pool_mismatch;
}

/// A verdict about a late write has the time of the write; one about a FIN has the FIN's.
void Plotter::find_fin() {
	const PastEvent* seen = first(EventKind::peer_fin);
	if (seen != nullptr) {
		fin_ = seen->time;
		fin_seen_ = true;
	} else if (history_ != nullptr && history_->write && history_->write->fin_time) {
		fin_ = history_->write->fin_time;
		fin_seen_ = true;
	} else if (is_about_write()) {
		if (evidence_.fin_to_write) {
			fin_ = verdict_.time - *evidence_.fin_to_write;
		}
	} else if (evidence_.close_wait) {
		fin_ = verdict_.time - *evidence_.close_wait;
	} else if (!is_without_fin()) {
		fin_ = verdict_.time;
		fin_seen_ = true;
	}
}

void Plotter::find_closing() {
	find_fin();
	closing_ = is_about_write() ? fin_ : verdict_.time;
	plot_.origin = fin_.value_or(verdict_.time);
	if (fin_) {
		plot_.origin_name = "the peer's FIN";
	} else if (is_about_write()) {
		plot_.origin_name = "the write";
	} else if (subject_ == Subject::our_reset) {
		plot_.origin_name = "our RST";
	} else {
		plot_.origin_name =
			evidence_.rst_received.value_or(false) ? "the peer's RST" : "the verdict";
	}
	plot_.silence_before_last_send = evidence_.gap.has_value();
	plot_.eof_unread = evidence_.eof_read == false && !evidence_.peeked.value_or(false);
}

void Plotter::add_open() {
	const auto& age = verdict_.connection.age;
	if (!age) {
		return;
	}
	const bool active = verdict_.connection.role == Role::active;
	add(active ? StepKind::outbound : StepKind::inbound, verdict_.time - *age,
	    active ? "connects" : "the peer connects")
		.open = true;
}

/// The last send and receive left no events: the socket's own clocks and counters tell of them.
void Plotter::add_exchange() {
	if (!closing_) {
		return;
	}
	const auto send_age = evidence_.send_age ? evidence_.send_age : evidence_.idle;
	const bool sent = send_age && evidence_.bytes_sent.value_or(0) != 0;
	const bool received = evidence_.receive_age && evidence_.bytes_received.value_or(0) != 0;
	if (sent) {
		const bool lost =
			subject_ == Subject::last_send && evidence_.unacked_at_fin.value_or(0) != 0;
		PlotStep& send =
			add(StepKind::outbound, *closing_ - *send_age,
		        lost ? fmt::format("{} B, which the peer never saw", *evidence_.unacked_at_fin)
		             : fmt::format("last send; {} B in all", *evidence_.bytes_sent),
		        true);
		send.exchange = true;
		send.step.subject = subject_ == Subject::last_send;
	}
	if (received) {
		add(StepKind::inbound, *closing_ - *evidence_.receive_age,
		    fmt::format("last receive; {} B in all", *evidence_.bytes_received), true)
			.exchange = true;
	}
}

void Plotter::add_close_by_peer() {
	if (fin_) {
		const std::uint64_t unacked = is_about_write() ? 0 : evidence_.unacked_at_fin.value_or(0);
		PlotStep& fin =
			add(StepKind::inbound, fin_,
		        unacked != 0 ? fmt::format("FIN; {} B of ours not acknowledged", unacked) : "FIN",
		        !fin_seen_);
		fin.fin = fin.closing = true;
		fin.step.subject = subject_ == Subject::peer_close;
	} else if (is_about_write()) {
		add(StepKind::inbound, std::nullopt, "FIN", true).fin = true;
	}
}

void Plotter::add_write() {
	if (!is_about_write()) {
		return;
	}
	const bool known = evidence_.fin_to_write.has_value();
	const PastWrite* write = history_ != nullptr && history_->write ? &*history_->write : nullptr;
	const std::string bytes =
		fmt::format("{} B{}", *evidence_.bytes_after_fin, head_text(evidence_.late_head));
	PlotStep& step =
		add(StepKind::outbound, write != nullptr && known ? write->time : verdict_.time,
	        known ? fmt::format("{} wrote {}", writer(), bytes)
	              : fmt::format("by now somebody had written {}", bytes),
	        !known);
	step.write = true;
	step.step.subject = true;
}

void Plotter::add_our_reset() {
	if (subject_ == Subject::our_reset) {
		PlotStep& step =
			add(StepKind::outbound, verdict_.time,
		        fmt::format("closes with {} B unread: RST", evidence_.unread_bytes.value_or(0)));
		step.closing = step.step.subject = true;
	}
}

/// An RST that no event told: only verdicts on a close by RST have its time.
void Plotter::add_reset_by_peer() {
	if (!evidence_.rst_received.value_or(false) || reset() != nullptr) {
		return;
	}
	const auto time = is_about_write() ? std::nullopt : std::optional(verdict_.time);
	PlotStep& step = add(StepKind::inbound, time, "RST", !time);
	step.closing = !is_about_write();
	step.step.subject = subject_ == Subject::peer_close && !fin_;
}

/// That it was read is known, when is not.
void Plotter::add_eof_by_evidence() {
	if (is_about_write() && evidence_.eof_read.value_or(false) &&
	    first(EventKind::eof_read) == nullptr) {
		add(StepKind::local, std::nullopt, "the end of file is read", true).eof = true;
	}
}

void Plotter::add_state() {
	const std::string text = state_text(verdict_);
	if (!text.empty()) {
		PlotStep& step = add(StepKind::local, verdict_.time, text);
		step.closing = !fin_;
		step.step.subject = subject_ == Subject::state;
	}
}

void Plotter::add_events() {
	if (history_ == nullptr) {
		return;
	}
	for (const PastEvent& event : history_->events) {
		add_event(event);
	}
}

/// What has no time stands where it must have been: FIN, end of file, write, RST. All but the RST come before
/// the verdict, which has the time of the write.
void Plotter::order() {
	std::vector<std::pair<Nanoseconds, PlotStep>> placed;
	for (PlotStep& step : plot_.steps) {
		const Nanoseconds place = step.time.value_or(verdict_.time);
		placed.emplace_back(place, std::move(step));
	}
	std::stable_sort(placed.begin(), placed.end(),
	                 [](const auto& left, const auto& right) { return left.first < right.first; });
	plot_.steps.clear();
	for (auto& [time, step] : placed) {
		plot_.steps.push_back(std::move(step));
	}
}

void Plotter::add_left_out() {
	if (history_ != nullptr && history_->left_out != 0) {
		const PastEvent& next = history_->events.at(History::most_events / 2);
		add(StepKind::wait, next.time, fmt::format("{} events left out", history_->left_out));
	}
}

/// The rest of the steps says why; this says that.
void Plotter::insist_on_subject() {
	const bool marked = std::any_of(plot_.steps.begin(), plot_.steps.end(),
	                                [](const PlotStep& step) { return step.step.subject; });
	if (!marked) {
		add(StepKind::local, verdict_.time, std::string{to_string(verdict_.kind)}).step.subject =
			true;
	}
}

Plot Plotter::plot() {
	find_closing();
	add_open();
	add_exchange();
	add_close_by_peer();
	add_eof_by_evidence();
	add_left_out();
	add_write();
	add_our_reset();
	add_reset_by_peer();
	add_events();
	add_state();
	insist_on_subject();
	order();
	return std::move(plot_);
}

Plot plot_of(const Verdict& verdict, const ConnectionHistory* history) {
	return Plotter{verdict, history}.plot();
}

} // namespace stalesock
