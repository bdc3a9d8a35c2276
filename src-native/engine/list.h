// Intrusive doubly linked lists over arrays: links are indices plus one, so
// that zeroed memory is an empty list. Nothing is allocated, and removal from
// the middle is O(1).
#pragma once

#include <cstdint>

namespace uintr {

struct Links {
  uint32_t next, prev;  // index + 1, 0: none
};

struct List {
  uint32_t head, tail;  // index + 1, 0: empty

  bool empty() const { return head == 0; }
};

// The Links `Member` of element i of an array.
template <class T, Links T::*Member>
struct LinksOf {
  T* elements;
  Links& operator()(uint32_t i) const { return elements[i].*Member; }
};

// Puts element i before the one at `next` (index + 1, 0: at the end). `links(i)`
// gives the Links of element i.
template <class F>
void list_insert(List* list, uint32_t i, uint32_t next, F links) {
  Links& l = links(i);
  uint32_t& back = next != 0 ? links(next - 1).prev : list->tail;
  l.next = next;
  l.prev = back;
  (back != 0 ? links(back - 1).next : list->head) = i + 1;
  back = i + 1;
}

template <class F>
void list_append(List* list, uint32_t i, F links) {
  list_insert(list, i, 0, links);
}

template <class F>
void list_remove(List* list, uint32_t i, F links) {
  Links& l = links(i);
  (l.prev != 0 ? links(l.prev - 1).next : list->head) = l.next;
  (l.next != 0 ? links(l.next - 1).prev : list->tail) = l.prev;
  l.next = l.prev = 0;
}

}  // namespace uintr
