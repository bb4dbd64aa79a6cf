// SPDX-License-Identifier: Apache-2.0
// What is written is read back; what is broken is read up to the damage.
#include "support/catch.hpp"
#include "support/raw_record.hpp"
#include "support/recording.hpp"

#include <cerrno>
#include <limits>

namespace stalesock::test {

namespace {

using matchers::Contains;
using Names = std::vector<std::string>;

/// Some records, one block for each flush.
std::vector<Bytes> sample_records() {
	SocketModel socket;
	std::vector<Bytes> records{raw_record(socket.open(recorded_at))};
	socket.turn(recorded_at + milliseconds(1), 100, 500);
	records.push_back(raw_record(socket.peer_fin(recorded_at + seconds(2))));
	records.push_back(raw_record(socket.late_write(recorded_at + seconds(3), 163)));
	records.push_back(raw_record(socket.reset(recorded_at + seconds(3))));
	return records;
}

/// And where each block ends.
struct Sample {
	Bytes bytes;
	std::vector<std::size_t> ends; ///< of the header, then of each block
};

Sample make_sample() {
	Tape tape;
	Sample sample;
	const auto mark = [&] { sample.ends.push_back(tape.bytes.size()); };
	mark();
	tape.writer.inventory(recorded_at, {"one namespace was closed"});
	mark();
	Nanoseconds now = recorded_at;
	for (const Bytes& record : sample_records()) {
		tape.writer.record(record);
		tape.writer.flush(now += seconds(1));
		mark();
	}
	tape.writer.losses(now, {3, 4});
	mark();
	tape.writer.end(now, {4, 3, 4, 5, 6});
	mark();
	sample.bytes = tape.bytes;
	return sample;
}

/// How many of the records end at or before this place.
std::size_t records_before(const Sample& sample, std::size_t place) {
	std::size_t count = 0;
	for (std::size_t i = 2; i < 2 + sample_records().size(); i++) {
		count += sample.ends[i] <= place ? 1 : 0;
	}
	return count;
}

void check_first_records(const Content& content, std::size_t count) {
	const std::vector<Bytes> records = sample_records();
	REQUIRE(content.records.size() == count);
	CHECK(std::equal(content.records.begin(), content.records.end(), records.begin()));
}

std::string refusal_of(const Bytes& bytes) {
	try {
		const RecordingReader reader(input_of(bytes));
		return {};
	} catch (const RecordingRefused& refusal) {
		return refusal.what();
	}
}

/// One block with this content.
Bytes with_block(BlockKind kind, const Bytes& content, Nanoseconds time = recorded_at) {
	Bytes bytes = encode(sample_header());
	Bytes block(block_head_size);
	append(block, ByteView(content));
	seal_block(block, kind, time);
	append(bytes, ByteView(block));
	return bytes;
}

} // namespace

TEST_CASE("what was recorded is read back", "[record]") {
	RecordingReader reader(input_of(make_sample().bytes));
	const RecordingHeader& header = reader.header();
	CHECK(header.version == "0.1.0");
	CHECK(header.kernel == "6.1.0-test");
	CHECK(header.machine == "x86_64");
	CHECK(header.hook_class == "tracepoint");
	CHECK(header.gaps == sample_header().gaps);
	CHECK(header.tick == tick);
	CHECK(header.boot == recorded_at);
	CHECK(header.wall == sample_header().wall);
	CHECK_FALSE(header.anonymized);
	const Block* block = reader.next();
	REQUIRE(block != nullptr);
	CHECK(block->time == recorded_at);
	CHECK(std::get<InventoryMark>(block->content).gaps == Names{"one namespace was closed"});
	const std::vector<Bytes> records = sample_records();
	for (std::size_t i = 0; i < records.size(); i++) {
		block = reader.next();
		REQUIRE(block != nullptr);
		CHECK(block->time == recorded_at + (i + 1) * seconds(1));
		const auto& found = std::get<Records>(block->content);
		REQUIRE(found.size() == 1);
		CHECK(std::equal(found[0].begin(), found[0].end(), records[i].begin(), records[i].end()));
	}
	block = reader.next();
	REQUIRE(block != nullptr);
	CHECK(std::get<LossMark>(block->content).dropped == 3);
	CHECK(std::get<LossMark>(block->content).missed == 4);
	block = reader.next();
	REQUIRE(block != nullptr);
	const auto& end = std::get<EndMark>(block->content);
	CHECK(end.events == 4);
	CHECK(end.dropped == 3);
	CHECK(end.missed == 4);
	CHECK(end.malformed == 5);
	CHECK(end.mptcp_skipped == 6);
	CHECK(reader.next() == nullptr);
	CHECK_FALSE(reader.damage().has_value());
	CHECK(reader.offset() == make_sample().bytes.size());
}

TEST_CASE("the layout of the file does not change unnoticed", "[record]") {
	const Bytes bytes = make_sample().bytes;
	const std::vector<unsigned> start{0x89, 'S', 'T', 'L', 'S', 'K', '\r', '\n', 1, 0, 0, 0};
	for (std::size_t i = 0; i < start.size(); i++) {
		CHECK(std::to_integer<unsigned>(bytes[i]) == start[i]);
	}
	ByteReader body(ByteView(bytes).subspan(prefix_size));
	CHECK(body.number<std::uint32_t>() == record_layout());
	CHECK(body.number<std::uint32_t>() == 0);
	CHECK(body.number<std::uint64_t>() == 4'000'000);
	CHECK(
		checksum(std::as_bytes(std::span("123456789", 4)), std::as_bytes(std::span("56789", 5))) ==
		0xcbf43926); // the check value of CRC-32
}

TEST_CASE("a recording cut anywhere is read up to the cut", "[record]") {
	const Sample sample = make_sample();
	for (std::size_t length = 0; length < sample.bytes.size(); length++) {
		CAPTURE(length);
		const Bytes cut(sample.bytes.begin(),
		                sample.bytes.begin() + static_cast<std::ptrdiff_t>(length));
		if (length < recording_magic.size()) {
			CHECK_THAT(refusal_of(cut), Contains("recording of stalesock"));
			continue;
		}
		const Content content = content_of(cut);
		check_first_records(content, records_before(sample, length));
		REQUIRE(content.damage.has_value());
		CHECK(content.damage->offset == length);
		const bool whole =
			std::find(sample.ends.begin(), sample.ends.end(), length) != sample.ends.end();
		CHECK_THAT(content.damage->what, Contains(whole ? "its end is missing" : "it ends within"));
	}
}

TEST_CASE("a bit flipped anywhere loses nothing before it", "[record]") {
	const Sample sample = make_sample();
	for (std::size_t place = 0; place < sample.bytes.size(); place++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			CAPTURE(place, bit);
			Bytes broken = sample.bytes;
			broken[place] ^= std::byte{1} << bit;
			if (place < recording_magic.size() + 4) {
				CHECK_FALSE(refusal_of(broken).empty());
				continue;
			}
			const Content content = content_of(broken);
			check_first_records(content, records_before(sample, place));
			REQUIRE(content.damage.has_value());
			const auto block_end = std::upper_bound(sample.ends.begin(), sample.ends.end(), place);
			const std::size_t start = block_end == sample.ends.begin() ? 0 : *(block_end - 1);
			CHECK(content.damage->offset >= start);
		}
	}
}

TEST_CASE("the damage is named with its place", "[record]") {
	Sample sample = make_sample();
	SECTION("within a block") {
		sample.bytes[sample.ends[3] - 1] ^= std::byte{1};
		const Content content = content_of(sample.bytes);
		CHECK(content.damage->offset == sample.ends[2]);
		CHECK(content.damage->what == "the checksum of a block does not agree");
	}
	SECTION("a length that cannot be") {
		store(sample.bytes.data() + sample.ends[2] + 4, std::uint32_t{0xffffffff});
		const Content content = content_of(sample.bytes);
		CHECK(content.damage->offset == sample.ends[2] + 4);
		CHECK(content.damage->what == "a block has an impossible length");
	}
	SECTION("after the end") {
		sample.bytes.push_back(std::byte{0});
		const Content content = content_of(sample.bytes);
		check_first_records(content, 4);
		CHECK(content.others == Names{"inventory", "losses", "end"});
		CHECK(content.damage->offset == sample.ends.back());
	}
	SECTION("in the header") {
		sample.bytes[prefix_size] ^= std::byte{1};
		RecordingReader reader(input_of(sample.bytes));
		REQUIRE(reader.damage().has_value());
		CHECK_THAT(reader.damage()->what, Contains("checksum of its header"));
		CHECK(reader.next() == nullptr);
	}
	SECTION("the disk fails") {
		auto good = input_of(Bytes(sample.bytes.begin(), sample.bytes.begin() + 400));
		RecordingReader reader([&](std::span<std::byte> to) {
			const ssize_t count = good(to);
			return count == 0 ? ssize_t{-EIO} : count;
		});
		while (reader.next() != nullptr) {
		}
		CHECK(reader.damage()->offset == 400);
		CHECK(reader.damage()->what == "it cannot be read: Input/output error");
	}
}

TEST_CASE("what agrees with its checksum and makes no sense is damage too", "[record]") {
	Bytes content;
	SECTION("a record longer than its block: the one before it stays") {
		const Bytes good = sample_records()[0];
		append(content, static_cast<std::uint32_t>(good.size()));
		append(content, ByteView(good));
		append(content, std::uint32_t{1'000'000});
		const Content found = content_of(with_block(BlockKind::records, content));
		check_first_records(found, 1);
		CHECK_THAT(found.damage->what, Contains("longer than its block"));
		CHECK(found.damage->offset ==
		      encode(sample_header()).size() + block_head_size + 4 + good.size());
	}
	SECTION("an empty record") {
		append(content, std::uint32_t{0});
		CHECK(content_of(with_block(BlockKind::records, content)).damage.has_value());
	}
	SECTION("an end without its numbers") {
		append(content, std::uint32_t{0});
		const Content found = content_of(with_block(BlockKind::end, content));
		CHECK(found.others.empty());
		CHECK_THAT(found.damage->what, Contains("shorter than its kind"));
	}
	SECTION("a list of texts that ends early") {
		append(content, std::uint16_t{9});
		CHECK(content_of(with_block(BlockKind::inventory, content)).others.empty());
	}
	SECTION("a time beyond all times") {
		const Nanoseconds never{std::numeric_limits<std::int64_t>::min()};
		const Content found = content_of(with_block(BlockKind::records, content, never));
		CHECK_THAT(found.damage->what, Contains("impossible time"));
	}
	SECTION("a header whose tick is nothing") {
		RecordingHeader header = sample_header();
		header.tick = {};
		RecordingReader reader(input_of(encode(header)));
		REQUIRE(reader.damage().has_value());
		CHECK_THAT(reader.damage()->what, Contains("makes no sense"));
	}
}

TEST_CASE("a block of a later time is passed over", "[record]") {
	Bytes bytes = with_block(static_cast<BlockKind>(99), Bytes(10));
	Tape tape;
	tape.writer.end(recorded_at, {});
	bytes.insert(bytes.end(),
	             tape.bytes.begin() + static_cast<std::ptrdiff_t>(encode(sample_header()).size()),
	             tape.bytes.end());
	const Content content = content_of(bytes);
	CHECK(content.others == Names{"end"});
	CHECK_FALSE(content.damage.has_value());
}

TEST_CASE("what cannot be read is refused with the reason", "[record]") {
	Bytes bytes = make_sample().bytes;
	CHECK_THAT(refusal_of({}), Contains("is empty"));
	CHECK_THAT(refusal_of(Bytes(100)), Contains("is not a recording of stalesock"));
	SECTION("a newer format") {
		store(bytes.data() + recording_magic.size(), recording_version + 1);
		CHECK_THAT(refusal_of(bytes), Contains("is a recording of format 2") &&
		                                  Contains("this stalesock reads format 1"));
	}
	SECTION("records of another layout") {
		RecordingHeader header = sample_header();
		header.layout = record_layout() + 1;
		header.version = "9.9\x1b[31m";
		CHECK_THAT(refusal_of(encode(header)),
		           Contains("records of layout") && Contains("made by stalesock 9.9\\x1b[31m"));
	}
}

TEST_CASE("records wait for a flush or a full block", "[record]") {
	Tape tape;
	const std::size_t header = tape.bytes.size();
	const Bytes record = sample_records()[1];
	tape.writer.record(record);
	CHECK(tape.bytes.size() == header);
	tape.writer.flush(recorded_at);
	const std::size_t flushed = tape.bytes.size();
	CHECK(flushed > header);
	tape.writer.flush(recorded_at + seconds(1));
	CHECK(tape.bytes.size() == flushed); // nothing to say
	tape.writer.flush(recorded_at + seconds(10));
	CHECK(tape.bytes.size() == flushed + block_head_size); // but that time has passed
	for (int i = 0; i < 1000; i++) {
		tape.writer.record(record);
	}
	CHECK(tape.bytes.size() > flushed + 200 * record.size());
	CHECK(tape.writer.records() == 1001);
	tape.writer.end(recorded_at + seconds(11), {});
	CHECK(content_of(tape.bytes).records.size() == 1001);
	CHECK(tape.writer.size() == tape.bytes.size());
}

TEST_CASE("losses are written when there are new ones", "[record]") {
	Tape tape;
	const std::size_t header = tape.bytes.size();
	tape.writer.losses(recorded_at, {0, 0});
	CHECK(tape.bytes.size() == header);
	tape.writer.losses(recorded_at, {0, 1});
	tape.writer.losses(recorded_at, {0, 1});
	tape.writer.losses(recorded_at, {2, 1});
	CHECK(content_of(tape.bytes).others == Names{"losses", "losses"});
}

TEST_CASE("after a failed write nothing more is written", "[record]") {
	Tape tape;
	const std::size_t header = tape.bytes.size();
	tape.refusal = ENOSPC;
	tape.writer.record(sample_records()[0]);
	tape.writer.flush(recorded_at);
	CHECK(tape.writer.error() == ENOSPC);
	tape.refusal = 0;
	tape.writer.record(sample_records()[0]);
	tape.writer.end(recorded_at, {});
	CHECK(tape.writer.error() == ENOSPC);
	CHECK(tape.bytes.size() == header);
	CHECK(tape.writer.size() == header);
}

} // namespace stalesock::test
