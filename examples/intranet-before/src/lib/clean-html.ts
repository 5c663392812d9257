import DOMPurify from 'dompurify'

export function cleanHtml(html: string) {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: ['p', 'a', 'img', 'iframe'],
    ALLOWED_ATTR: ['href', 'src', 'target'],
  })
}

export function cleanComment(text: string) {
  return text.replace(/<script.*?<\/script>/gi, '').replace(/onerror=/gi, '')
}
