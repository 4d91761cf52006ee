;; A plugin in WebAssembly's own text, by the canonical names of the world: what every tool makes in
;; the end. Its one operation gives what it was given.
(module
  (import "nebula:plugin/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 4096))

  (data (i32.const 64)
    "{\"operations\":[{\"name\":\"echo\",\"params_schema\":{\"type\":\"object\"},\"idempotent\":true}]}")
  (data (i32.const 256) "asked")
  (data (i32.const 272) "Unknown")
  (data (i32.const 288) "there is no such operation")

  ;; Memory that is never given back, but for what comes after the last call.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $start_anew (param i32) (global.set $free (i32.const 4096)))

  (func (export "nebula:plugin/guest@0.1.0#describe") (result i32)
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 84))
    (i32.const 0))
  (func (export "nebula:plugin/guest@0.1.0#initialize") (param i32 i32) (result i32)
    (i32.store (i32.const 0) (i32.const 0))
    (i32.const 0))
  (func (export "nebula:plugin/guest@0.1.0#execute") (param i32 i32 i32 i32) (result i32)
    (call $log (i32.const 1) (i32.const 256) (i32.const 5))
    (if (i32.eq (local.get 1) (i32.const 4))  ;; "echo"; no other has four letters
      (then
        (i32.store (i32.const 0) (i32.const 0))
        (i32.store (i32.const 4) (local.get 2))
        (i32.store (i32.const 8) (local.get 3)))
      (else
        (i32.store (i32.const 0) (i32.const 1))
        (i32.store (i32.const 4) (i32.const 272))
        (i32.store (i32.const 8) (i32.const 7))
        (i32.store (i32.const 12) (i32.const 288))
        (i32.store (i32.const 16) (i32.const 26))))
    (i32.const 0))
  (func (export "nebula:plugin/guest@0.1.0#health-check") (result i32)
    (i32.store (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 0))
    (i32.store (i32.const 8) (i32.const 0))
    (i32.const 0))
  (func (export "nebula:plugin/guest@0.1.0#save-state") (result i32)
    (i32.store (i32.const 0) (i32.const 0))
    (i32.const 0))
  (func (export "nebula:plugin/guest@0.1.0#restore-state") (param i32 i32) (result i32)
    (i32.store (i32.const 0) (i32.const 0))
    (i32.const 0))
  (func (export "nebula:plugin/guest@0.1.0#cleanup"))

  (export "cabi_post_nebula:plugin/guest@0.1.0#execute" (func $start_anew))
)
