/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a message is, by its first bytes and its length: the same for the BPF programs, which look at messages before
 * they are sent, and for packet captures, which look at segments. Plain C; no loop, no call, nothing that a verifier would
 * mind.
 */
#ifndef STALESOCK_HEADS_H
#define STALESOCK_HEADS_H

#include "stalesock/event.h"

#define STALESOCK_HEAD_BYTES 8 /* looked at, at most; what the message does not have is 0 */

#define STALESOCK_TLS_HEADER 5 /* RFC 8446, 5.1: type, version, length */
#define STALESOCK_TLS_ALERT 21
#define STALESOCK_TLS_DATA 23

/* "QUIT\r\n" and its like. */
#define STALESOCK_LONGEST_GOODBYE 8
/* A line of IRC (RFC 2812, 2.3), a stream's end of XMPP with its blanks: no request is meant by them, however long. */
#define STALESOCK_LONGEST_PARTING_LINE 512

#define STALESOCK_WORD(a, b, c, d) ((__u32)(a) << 24 | (__u32)(b) << 16 | (__u32)(c) << 8 | (__u32)(d))

struct stalesock_head {
	__u8 kind;           /* STALESOCK_HEAD_* */
	__u8 announces_body; /* STALESOCK_HEAD_HTTP: a request that has one, or may */
	__u16 record_length; /* STALESOCK_HEAD_TLS_*: of the first record */
};

static inline __u32 stalesock_first_word(const __u8 *head)
{
	return STALESOCK_WORD(head[0], head[1], head[2], head[3]);
}

/*
 * A close frame (RFC 6455, 5.5.1), masked by a client and not by a server, all of what is sent; DISCONNECT of MQTT
 * (MQTT 3.1.1 and 5, 3.14); GOAWAY (RFC 9113, 6.8).
 */
static inline int stalesock_is_closing_frame(const __u8 *head, __u32 length)
{
	if (!head[0] && !head[1] && head[3] == 7 && !head[4])
		return head[2] >= 8 && length == 9u + head[2];
	if (head[0] == 0x88)
		return head[1] >= 0x80 ? length == 6u + head[1] - 0x80 : length == 2u + head[1];
	return head[0] == 0xe0 && length <= 4 && length == 2u + head[1];
}

/* "QUIT", in either case, of SMTP, FTP, POP3 and Redis, with or without the end of a line, and of IRC with its parting words. */
static inline int stalesock_is_quit(const __u8 *head, __u32 length)
{
	if ((stalesock_first_word(head) & 0xdfdfdfdf) != STALESOCK_WORD('Q', 'U', 'I', 'T'))
		return 0;
	return length <= STALESOCK_LONGEST_GOODBYE ||
	       (head[4] == ' ' && head[5] == ':' && length <= STALESOCK_LONGEST_PARTING_LINE);
}

/* An unbind request of LDAP (RFC 4511, 4.3): a sequence of the message's number, of one to three bytes, and of 42 00. */
static inline int stalesock_is_unbind(const __u8 *head, __u32 length)
{
	__u32 rest = STALESOCK_WORD(head[4], head[5], head[6], head[7]);

	if (head[0] != 0x30 || head[2] != 2 || length != 2u + head[1] || head[1] != head[3] + 4)
		return 0;
	/* Of one word and not byte by byte: a compiler would choose between addresses, which no verifier takes. */
	switch (head[3]) {
	case 1:
		return (rest & 0x00ffff00) == 0x00420000;
	case 2:
		return (rest & 0x0000ffff) == 0x00004200;
	case 3:
		return (rest & 0x000000ff) == 0x00000042;
	}
	return 0;
}

/* The Terminate message of PostgreSQL; COM_QUIT of MySQL with its packet's header; the end of a stream of XMPP. */
static inline int stalesock_is_goodbye(const __u8 *head, __u32 length)
{
	__u32 word = stalesock_first_word(head);

	if (stalesock_is_quit(head, length) || stalesock_is_unbind(head, length))
		return 1;
	if (length == 5)
		return (word == STALESOCK_WORD('X', 0, 0, 0) && head[4] == 4) ||
		       (word == STALESOCK_WORD(1, 0, 0, 0) && head[4] == 1);
	return word == STALESOCK_WORD('<', '/', 's', 't') && head[4] == 'r' && head[5] == 'e' &&
	       head[6] == 'a' && head[7] == 'm' && length <= STALESOCK_LONGEST_PARTING_LINE;
}

/*
 * The length of a frame of HTTP/2 that asks for nothing: WINDOW_UPDATE (RFC 9113, 6.9), RST_STREAM (6.4), the answer to
 * a PING (6.7) or to SETTINGS (6.5). 0: it is none.
 */
static inline __u32 stalesock_control_frame(const __u8 *head)
{
	if (head[0] || head[1])
		return 0;
	if (head[2] == 4 && !head[4])
		return head[3] == 8 || head[3] == 3 ? 13 : 0;
	if (head[2] == 8)
		return head[3] == 6 && head[4] == 1 ? 17 : 0;
	return !head[2] && head[3] == 4 && head[4] == 1 ? 9 : 0;
}

/* One or two such frames, all of what is sent. */
static inline int stalesock_is_control(const __u8 *head, __u32 length)
{
	__u32 frame = stalesock_control_frame(head);

	return frame && (length == frame || (frame == 13 && length == 26));
}

/*
 * A TLS record as long as one that holds the answer to SETTINGS, or one or two of WINDOW_UPDATE and RST_STREAM: in TLS
 * 1.2 with ChaCha20, in TLS 1.3, in TLS 1.2 with AES-GCM. (A PING is as long as a request of eight indexed fields.)
 */
static inline int stalesock_is_sized_like_control(__u16 record_length)
{
	switch (record_length) {
	case 9 + 16:
	case 9 + 17:
	case 9 + 24:
	case 13 + 16:
	case 13 + 17:
	case 13 + 24:
	case 26 + 16:
	case 26 + 17:
	case 26 + 24:
		return 1;
	}
	return 0;
}

#define STALESOCK_METHOD 1
#define STALESOCK_METHOD_WITH_BODY 2

/* RFC 9110, 9.3, PATCH (RFC 5789), and the preface of HTTP/2. 0: none. */
static inline int stalesock_http_method(const __u8 *head)
{
	switch (stalesock_first_word(head)) {
	case STALESOCK_WORD('G', 'E', 'T', ' '):
	case STALESOCK_WORD('P', 'R', 'I', ' '):
		return STALESOCK_METHOD;
	case STALESOCK_WORD('P', 'U', 'T', ' '):
		return STALESOCK_METHOD_WITH_BODY;
	case STALESOCK_WORD('P', 'O', 'S', 'T'):
		return head[4] == ' ' ? STALESOCK_METHOD_WITH_BODY : 0;
	case STALESOCK_WORD('H', 'E', 'A', 'D'):
		return head[4] == ' ' ? STALESOCK_METHOD : 0;
	case STALESOCK_WORD('P', 'A', 'T', 'C'):
		return head[4] == 'H' ? STALESOCK_METHOD_WITH_BODY : 0;
	case STALESOCK_WORD('D', 'E', 'L', 'E'):
		return head[4] == 'T' ? STALESOCK_METHOD : 0;
	case STALESOCK_WORD('T', 'R', 'A', 'C'):
		return head[4] == 'E' ? STALESOCK_METHOD : 0;
	case STALESOCK_WORD('O', 'P', 'T', 'I'):
		return head[4] == 'O' ? STALESOCK_METHOD : 0;
	case STALESOCK_WORD('C', 'O', 'N', 'N'):
		return head[4] == 'E' ? STALESOCK_METHOD : 0;
	}
	return 0;
}

/* head: STALESOCK_HEAD_BYTES bytes; length: of all that is sent, at least 1. */
static inline struct stalesock_head stalesock_classify_head(const __u8 *head, __u32 length)
{
	struct stalesock_head result = {STALESOCK_HEAD_OTHER, 0, 0};
	int method;

	if (length >= STALESOCK_TLS_HEADER && head[1] == 3 && head[2] <= 4 &&
	    (head[0] == STALESOCK_TLS_ALERT || head[0] == STALESOCK_TLS_DATA)) {
		result.record_length = (__u16)(head[3] << 8 | head[4]);
		if (head[0] == STALESOCK_TLS_ALERT)
			result.kind = STALESOCK_HEAD_TLS_ALERT;
		else
			result.kind =
				length == STALESOCK_TLS_HEADER + (__u32)result.record_length &&
						stalesock_is_sized_like_control(result.record_length)
					? STALESOCK_HEAD_TLS_CONTROL
					: STALESOCK_HEAD_TLS_DATA;
		return result;
	}
	if (length >= 2 &&
	    (stalesock_is_closing_frame(head, length) || stalesock_is_goodbye(head, length))) {
		result.kind = STALESOCK_HEAD_GOODBYE;
		return result;
	}
	if (stalesock_is_control(head, length)) {
		result.kind = STALESOCK_HEAD_CONTROL;
		return result;
	}
	method = stalesock_http_method(head);
	if (method) {
		result.kind = STALESOCK_HEAD_HTTP;
		result.announces_body = method == STALESOCK_METHOD_WITH_BODY;
	}
	return result;
}

#endif /* STALESOCK_HEADS_H */
