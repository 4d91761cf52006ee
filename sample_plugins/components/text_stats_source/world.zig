//! The WIT world `nebula:plugin@0.1.0` in Zig: what `wit-bindgen` generates for other languages.
//!
//! Values are laid out in memory as the component model's canonical ABI says.

const std = @import("std");

pub const Level = enum(i32) { debug, info, warning, err, critical };
pub const Stream = enum(i32) { stdout, stderr };

const Text = extern struct {
    at: [*]const u8,
    len: usize,

    fn of(text: []const u8) Text {
        return .{ .at = text.ptr, .len = text.len };
    }
};
const Failure = extern struct { kind: Text, message: Text };
const Outcome = extern struct {
    failed: u8 = 0,
    value: extern union { text: Text, failure: Failure } = undefined,
};
const Health = extern struct { state: u8 = 0, message: Text };
const Answer = extern struct { failed: u8 = 0, text: Text = undefined };
const Maybe = extern struct { there: u8 = 0, text: Text = undefined };

const host = struct {
    extern "nebula:plugin/host@0.1.0" fn log(level: Level, text: [*]const u8, len: usize) void;
    extern "nebula:plugin/host@0.1.0" fn progress(
        done: f64,
        has_total: i32,
        total: f64,
        text: [*]const u8,
        len: usize,
    ) void;
    extern "nebula:plugin/host@0.1.0" fn output(to: Stream, text: [*]const u8, len: usize) void;
    extern "nebula:plugin/host@0.1.0" fn @"call-plugin"(
        plugin: [*]const u8,
        plugin_len: usize,
        operation: [*]const u8,
        operation_len: usize,
        params: [*]const u8,
        params_len: usize,
        answer: *Answer,
    ) void;
    extern "nebula:plugin/host@0.1.0" fn @"yield-item"(item: [*]const u8, len: usize) i32;
};

pub fn log(level: Level, message: []const u8) void {
    host.log(level, message.ptr, message.len);
}

/// Show how far the running operation is; `total` null is for when nobody knows.
pub fn progress(done: f64, total: ?f64, text: []const u8) void {
    host.progress(done, @intFromBool(total != null), total orelse 0, text.ptr, text.len);
}

/// Print below the cell that made the call.
pub fn print(to: Stream, text: []const u8) void {
    host.output(to, text.ptr, text.len);
}

/// The result of another plugin's operation, as JSON; or why there is none, for people.
pub const Called = union(enum) { result: []const u8, failure: []const u8 };

pub fn callPlugin(plugin: []const u8, operation: []const u8, params: []const u8) Called {
    var answer: Answer = .{};
    host.@"call-plugin"(
        plugin.ptr,
        plugin.len,
        operation.ptr,
        operation.len,
        params.ptr,
        params.len,
        &answer,
    );
    const text = answer.text.at[0..answer.text.len];
    return if (answer.failed == 0) .{ .result = text } else .{ .failure = text };
}

/// Give the caller the next item of a stream, as JSON; false once no more are wanted.
pub fn yieldItem(item: []const u8) bool {
    return host.@"yield-item"(item.ptr, item.len) != 0;
}

// What one call needs is taken from here, and given back as a whole when it is over.
var memory: std.heap.ArenaAllocator = .init(std.heap.wasm_allocator);

pub fn arena() std.mem.Allocator {
    return memory.allocator();
}

fn cabiRealloc(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
    const new = arena().rawAlloc(size, .fromByteUnits(alignment), @returnAddress()) orelse
        @trap(); // out of memory
    if (old) |from| @memcpy(new[0..old_size], from[0..old_size]);
    return new;
}

fn give(value: anytype) *@TypeOf(value) {
    const place = arena().create(@TypeOf(value)) catch @trap();
    place.* = value;
    return place;
}

fn failed(err: anyerror) *Outcome {
    const name = @errorName(err);
    return give(Outcome{
        .failed = 1,
        .value = .{ .failure = .{ .kind = .of(name), .message = .of(name) } },
    });
}

/// Export the world's functions for a plugin: a file with `description`, `initialize`, `execute`,
/// `saveState` and `restoreState`.
pub fn serve(comptime plugin: type) void {
    const exported = struct {
        fn describe() callconv(.c) *Text {
            return give(Text.of(plugin.description));
        }

        fn initialize(config: [*]const u8, len: usize) callconv(.c) *Outcome {
            plugin.initialize(config[0..len]) catch |err| return failed(err);
            return give(Outcome{});
        }

        fn execute(
            name: [*]const u8,
            name_len: usize,
            params: [*]const u8,
            params_len: usize,
        ) callconv(.c) *Outcome {
            const result = plugin.execute(name[0..name_len], params[0..params_len]) catch |err|
                return failed(err);
            return give(Outcome{ .value = .{ .text = .of(result) } });
        }

        fn healthCheck() callconv(.c) *Health {
            return give(Health{ .message = .of("") });
        }

        fn saveState() callconv(.c) *Maybe {
            const saved = (plugin.saveState() catch @trap()) orelse return give(Maybe{});
            return give(Maybe{ .there = 1, .text = .of(saved) });
        }

        fn restoreState(saved: [*]const u8, len: usize) callconv(.c) *Outcome {
            plugin.restoreState(saved[0..len]) catch |err| return failed(err);
            return give(Outcome{});
        }

        fn cleanup() callconv(.c) void {}

        fn release(_: *anyopaque) callconv(.c) void {
            _ = memory.reset(.retain_capacity);
        }
    };
    const guest = "nebula:plugin/guest@0.1.0#";
    @export(&cabiRealloc, .{ .name = "cabi_realloc" });
    @export(&exported.cleanup, .{ .name = guest ++ "cleanup" });
    for (.{
        .{ "describe", &exported.describe },
        .{ "initialize", &exported.initialize },
        .{ "execute", &exported.execute },
        .{ "health-check", &exported.healthCheck },
        .{ "save-state", &exported.saveState },
        .{ "restore-state", &exported.restoreState },
    }) |one| {
        @export(one[1], .{ .name = guest ++ one[0] });
        @export(&exported.release, .{ .name = "cabi_post_" ++ guest ++ one[0] });
    }
}
